using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Functions.Http;
using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Functions.Tests;

/// <summary>The HTTP functions on Kestrel, a real Azurite and a real, small model.</summary>
public sealed class HttpFunctionsTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>, IAsyncLifetime
{
    private readonly string prefix = AzuriteFixture.NewPrefix();
    private readonly string folder = Directory.CreateTempSubdirectory("predict-").FullName;
    private readonly HttpClient http = new();
    private FunctionsHost? host;

    public async Task InitializeAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert:Storage:Prefix"] = prefix
        };
        host = await FunctionsHost.StartAsync(new FunctionsHostOptions
        {
            Configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
            FunctionTypes = [typeof(Predict), typeof(GetStatus)],
            Url = "http://127.0.0.1:0",
            StartTrainer = false,
            Output = TextWriter.Null,
        });
        http.BaseAddress = host.Address;
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        if (host is not null) await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("", "invalid_json")]
    [InlineData("{", "invalid_json")]
    [InlineData("{}", "missing_text")]
    [InlineData("""{"review":"good"}""", "missing_text")]
    [InlineData("""{"text":"  "}""", "missing_text")]
    [InlineData("""{"text":5}""", "invalid_review")]
    [InlineData("\"good\"", "invalid_review")]
    [InlineData("null", "invalid_review")]
    [InlineData("[]", "no_reviews")]
    [InlineData("""["good",null]""", "invalid_review")]
    [InlineData("""["good",{"id":"b"}]""", "missing_text")]
    [InlineData("""{"text":"\ud800"}""", "invalid_text")]
    [InlineData("""{"text":"good","id":{}}""", "invalid_text")]
    public async Task Bad_input_is_a_400_with_a_code_and_one_sentence(string body, string code)
    {
        (HttpStatusCode status, JsonElement answer) = await PostAsync(body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        JsonElement error = answer.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.EndsWith(".", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task An_error_in_an_array_names_the_review()
    {
        (_, JsonElement answer) = await PostAsync("""["good","bad",""]""");
        Assert.StartsWith("Review 2 ", answer.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task More_reviews_than_the_limit_are_refused_and_as_many_are_not()
    {
        (HttpStatusCode status, JsonElement answer) = await PostAsync(JsonSerializer.Serialize(Enumerable.Repeat("good", 129)));
        Assert.Equal((HttpStatusCode.BadRequest, "too_many_reviews"),
            (status, answer.GetProperty("error").GetProperty("code").GetString()));
        (status, _) = await PostAsync(JsonSerializer.Serialize(Enumerable.Repeat("good", 128)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_a_413_whether_its_length_is_told_or_not(bool isLengthTold)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/api/predict") { Content = new ByteArrayContent(new byte[1024 * 1024 + 1]) };
        request.Headers.TransferEncodingChunked = !isLengthTold;
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("body_too_large", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Without_a_live_model_the_answer_is_503_and_when_to_ask_again()
    {
        using HttpResponseMessage response = await http.PostAsync("/api/predict", new StringContent("""{"text":"good"}"""));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(30), response.Headers.RetryAfter?.Delta);
        Assert.Contains("no_model", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_live_model_answers_one_review_with_an_object_and_several_with_an_array_in_their_order()
    {
        string version = await PublishAsync();
        (HttpStatusCode status, JsonElement one) = await PostAsync("\uFEFF" + """{"text":"the food was great .","id":"r1"}""");
        Assert.Equal((HttpStatusCode.OK, "r1", version), (status, one.GetProperty("id").GetString(), one.GetProperty("model").GetString()));
        Assert.InRange(one.GetProperty("stars").GetInt32(), 1, 5);
        Assert.Equal(5, one.GetProperty("probabilities").GetArrayLength());

        (_, JsonElement several) = await PostAsync("""["the food was bad .",{"text":"the food was great .","id":7},{"text":"okay"}]""");
        Assert.Equal([0, 1, 2], several.EnumerateArray().Select(prediction => prediction.GetProperty("row").GetInt32()));
        Assert.Equal("7", several[1].GetProperty("id").GetString());
        Assert.Equal(one.GetProperty("probabilities").ToString(), several[1].GetProperty("probabilities").ToString());
    }

    [Fact]
    public async Task Invalid_UTF_8_is_read_as_replacement_characters()
    {
        await PublishAsync();
        using HttpResponseMessage response =
            await http.PostAsync("/api/predict", new ByteArrayContent([.. "{\"text\":\"good "u8, 0xff, .. "\"}"u8]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Status_shows_queues_and_the_live_model()
    {
        string version = await PublishAsync();
        JsonElement status = JsonDocument.Parse(await http.GetStringAsync("/api/status")).RootElement;
        Assert.Equal(StorageNames.Queues,
            status.GetProperty("queues").EnumerateArray().Select(queue => queue.GetProperty("name").GetString()));
        Assert.Contains(version, status.GetProperty("live").ToString());
    }

    private async Task<string> PublishAsync()
    {
        var registry = new ModelRegistry(PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix), TimeProvider.System);
        ModelManifest manifest = await registry.PublishAsync(SmallModels.Save(folder));
        await registry.PromoteAsync(manifest.Version, "test");
        return manifest.Version;
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string body)
    {
        using HttpResponseMessage response =
            await http.PostAsync("/api/predict", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }
}

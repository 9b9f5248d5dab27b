using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class BlobFolderTests(AzuriteFixture azurite) : IDisposable
{
    private readonly string _local = Directory.CreateTempSubdirectory("blob-folder-").FullName;

    public void Dispose() => Directory.Delete(_local, recursive: true);

    [Fact]
    public async Task A_folder_comes_back_as_it_was_and_is_replaced_whole()
    {
        var (container, folder) = await NewAsync();
        await folder.ReplaceAsync(Write("one", ("a.txt", "first"), ("b.txt", "second")));
        await folder.ReplaceAsync(Write("two", ("a.txt", "third")));

        Assert.Equal(["checkpoint-5"], await BlobFolder.ListAsync(container, "id"));
        var manifest = (await folder.ReadManifestAsync<FolderManifest>()).Intact!;
        Assert.Equal("a.txt", Assert.Single(manifest.Files).Name);
        Assert.Null(await folder.DownloadAsync(manifest.Files, Path.Combine(_local, "back")));
        Assert.Equal("third", await File.ReadAllTextAsync(Path.Combine(_local, "back", "a.txt")));

        await folder.DeleteAsync();
        Assert.Empty(await container.GetBlobsAsync().ToArrayAsync());
    }

    [Fact]
    public async Task An_upload_that_is_cut_off_anywhere_leaves_no_folder()
    {
        string prefix = AzuriteFixture.NewPrefix();
        await PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix).CreateAsync();
        string local = Write("one", ("a.txt", "first"), ("b.txt", "second"));
        for (int call = 1; call <= 4; call++)
        {
            var calls = new CountedCalls { DiesAt = call };
            var container = calls.Through(azurite, prefix).Container(StorageNames.Trainings);
            await Assert.ThrowsAsync<DiedException>(() => new BlobFolder(container, "id/checkpoint-5").ReplaceAsync(local));
            Assert.Empty(await BlobFolder.ListAsync(PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix)
                .Container(StorageNames.Trainings), "id"));
        }
    }

    [Fact]
    public async Task A_published_folder_is_completed_by_the_same_bytes_and_refused_to_others()
    {
        var (_, folder) = await NewAsync();
        string local = Write("one", ("a.txt", "first"), ("b.txt", "second"));
        var files = await BlobFolder.DescribeAsync(Directory.GetFiles(local).Order(StringComparer.Ordinal));
        var manifest = new BinaryData("{}");
        Assert.Null(await folder.PublishAsync(local, [files[0]], manifest));
        Assert.Null(await folder.PublishAsync(local, files, manifest));
        Assert.Equal(BlobFolder.ManifestName, await folder.PublishAsync(local, files, new BinaryData("{ }")));

        string other = Write("two", ("a.txt", "forged"));
        Assert.Equal("a.txt", await folder.PublishAsync(other, await BlobFolder.DescribeAsync(Directory.GetFiles(other)), manifest));
        Assert.Null(await folder.DownloadAsync(files, Path.Combine(_local, "back")));
    }

    [Theory]
    [InlineData("other", FolderDamage.WrongBytes, "SHA-256")]
    [InlineData("longer than before", FolderDamage.WrongBytes, "bytes and not 5")]
    [InlineData(null, FolderDamage.Missing, "missing")]
    public async Task A_file_that_is_not_as_the_manifest_says_is_told_with_its_ETag(string? content, FolderDamage damage, string part)
    {
        var (container, folder) = await NewAsync();
        await folder.ReplaceAsync(Write("one", ("a.txt", "first")));
        var manifest = (await folder.ReadManifestAsync<FolderManifest>()).Intact!;
        BlobClient blob = container.GetBlobClient("id/checkpoint-5/a.txt");
        string? etag = null;
        if (content is null) await blob.DeleteAsync();
        else etag = ETags.Unquote((await blob.UploadAsync(new BinaryData(content), overwrite: true)).Value.ETag);

        FolderProblem problem = (await folder.DownloadAsync(manifest.Files, Path.Combine(_local, "back")))!;
        Assert.Equal(("a.txt", damage, etag), (problem.File, problem.Damage, problem.ETag));
        Assert.Contains(part, problem.Detail);
    }

    [Theory]
    [InlineData("../a.txt")]
    [InlineData(".a")]
    [InlineData("b/a.txt")]
    [InlineData("")]
    public async Task A_name_that_is_not_plain_never_becomes_a_path(string name)
    {
        var (_, folder) = await NewAsync();
        FolderProblem problem = (await folder.DownloadAsync([new FolderFile(name, 1, "")], Path.Combine(_local, "back")))!;
        Assert.Equal(FolderDamage.OddName, problem.Damage);
    }

    [Fact]
    public async Task A_file_that_is_held_is_unwritable()
    {
        var (container, folder) = await NewAsync();
        await folder.ReplaceAsync(Write("one", ("a.txt", "first")));
        await container.GetBlobClient("id/checkpoint-5/a.txt").GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<UnwritableBlobException>(() => folder.ReplaceAsync(Path.Combine(_local, "one")));
    }

    private async Task<(BlobContainerClient Container, BlobFolder Folder)> NewAsync()
    {
        BlobContainerClient container = (await azurite.NewStorageAsync()).Container(StorageNames.Trainings);
        return (container, new BlobFolder(container, "id/checkpoint-5"));
    }

    private string Write(string name, params (string Name, string Content)[] files)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_local, name)).FullName;
        foreach (var (file, content) in files) File.WriteAllText(Path.Combine(folder, file), content);
        return folder;
    }
}

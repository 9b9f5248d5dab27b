using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Optimizers;

public sealed class FlatOptimizerTests
{
    private static readonly long[] Ids = [2, 10, 11, 12, 8, 3, 2, 10, 13, 12, 5, 3];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AdamW_equals_torchs_after_many_steps_whether_in_one_pass_or_in_tensor_operations(bool onlyTensorOperations)
    {
        using Checkpoint flat = SmallModels.Create(), reference = SmallModels.Create();
        flat.Model.eval(); // no dropout
        reference.Model.eval();
        using var ours =
            new FlatAdamW(ParameterGroup.Of(flat.Model.named_parameters(), 0.01)) { OnlyTensorOperations = onlyTensorOperations };
        using AdamW torchs = TorchsAdamW(reference.Model, 0.01);

        for (int step = 0; step < 20; step++)
        {
            ours.ZeroGradients();
            Backward(flat.Model, step);
            CopyGradients(flat.Model, reference.Model);
            ours.Step(1e-3 / (step + 1));
            foreach (var group in torchs.ParamGroups) group.LearningRate = 1e-3 / (step + 1);
            torchs.step();
        }

        Assert.InRange(LargestDifference(flat.Model, reference.Model), 0, 1e-6);
    }

    [Fact]
    public void AdamWs_first_step_is_the_learning_rate_in_the_gradients_direction_after_decay()
    {
        // m / √v is the gradient's sign at the first step: w ← w (1 − η λ) − η g / (|g| + ε).
        using var weight = new Parameter(tensor(new float[] { 1, -2, 3, 0.5f }));
        using var optimizer = new FlatAdamW([new ParameterGroup([weight], WeightDecay: 0.1)]);
        using Tensor gradient = tensor(new float[] { 4, -0.25f, 0, 1e-3f });
        weight.grad!.copy_(gradient);

        optimizer.Step(0.01);

        float kept = 1 - 0.01f * 0.1f;
        AssertNear([kept - 0.01f, -2 * kept + 0.01f, 3 * kept, 0.5f * kept - 0.01f * 1e-3f / (1e-3f + 1e-8f)], weight);
    }

    [Fact]
    public void Sgd_with_momentum_equals_its_closed_form()
    {
        // A constant gradient g: the velocity after n steps is g (1 − μⁿ) / (1 − μ).
        using var weight = new Parameter(tensor(new float[] { 1, 2 }));
        using var optimizer = new FlatSgd([new ParameterGroup([weight])], momentum: 0.9);
        using Tensor gradient = tensor(new float[] { 0.5f, -1 });
        double moved = 0;
        for (int step = 1; step <= 10; step++)
        {
            optimizer.ZeroGradients();
            weight.grad!.add_(gradient);
            optimizer.Step(0.1);
            moved += 0.1 * (1 - Math.Pow(0.9, step)) / (1 - 0.9);
        }

        AssertNear([1 - 0.5f * (float)moved, 2 + (float)moved], weight);
    }

    [Fact]
    public void Sgd_equals_torchs_with_decay_and_momentum()
    {
        using Checkpoint flat = SmallModels.Create(), reference = SmallModels.Create();
        flat.Model.eval();
        reference.Model.eval();
        using var ours = new FlatSgd(ParameterGroup.Of(flat.Model.named_parameters(), 0.01), momentum: 0.9);
        Parameter[] decayed = [.. Named(reference.Model, decayed: true)], undecayed = [.. Named(reference.Model, decayed: false)];
        using SGD torchs =
            optim.SGD([new SGD.ParamGroup(decayed, 1e-2, momentum: 0.9, weight_decay: 0.01),
            new SGD.ParamGroup(undecayed, 1e-2, momentum: 0.9)], 1e-2, momentum: 0.9);

        for (int step = 0; step < 10; step++)
        {
            ours.ZeroGradients();
            Backward(flat.Model, step);
            ours.Step(1e-2);
            torchs.zero_grad();
            Backward(reference.Model, step);
            torchs.step();
        }

        Assert.InRange(LargestDifference(flat.Model, reference.Model), 0, 1e-6);
    }

    [Fact]
    public void Clipping_equals_torchs_and_gives_the_norm_before_it()
    {
        using Checkpoint flat = SmallModels.Create(), reference = SmallModels.Create();
        flat.Model.eval();
        reference.Model.eval();
        using var optimizer = new FlatAdamW(ParameterGroup.Of(flat.Model.named_parameters(), 0.01));
        Backward(flat.Model, 0);
        Backward(reference.Model, 0);

        double norm = optimizer.ClipGradients(0.1);
        double expected = nn.utils.clip_grad_norm_(reference.Model.parameters(), 0.1);

        Assert.Equal(expected, norm, 1e-5);
        foreach (var (ours, theirs) in flat.Model.parameters().Zip(reference.Model.parameters()))
            Assert.InRange((ours.grad! - theirs.grad!).abs().max().ToSingle(), 0, 1e-7);
        Assert.Equal(0.1, optimizer.ClipGradients(0), 1e-5);
    }

    [Fact]
    public void A_groups_learning_rate_factor_scales_its_steps()
    {
        using var near = new Parameter(ones(3));
        using var far = new Parameter(ones(3));
        using var optimizer = new FlatSgd([new ParameterGroup([near], LearningRateFactor: 0.5), new ParameterGroup([far])]);
        near.grad!.fill_(1);
        far.grad!.fill_(1);

        optimizer.Step(0.2);

        AssertNear([0.9f, 0.9f, 0.9f], near);
        AssertNear([0.8f, 0.8f, 0.8f], far);
    }

    [Fact]
    public void The_model_reads_and_loads_its_state_dict_as_before()
    {
        using Checkpoint checkpoint = SmallModels.Create(seed: 1), other = SmallModels.Create(seed: 2);
        checkpoint.Model.eval();
        other.Model.eval();
        float[] before = Logits(checkpoint.Model);
        using var optimizer = new FlatAdamW(ParameterGroup.Of(checkpoint.Model.named_parameters(), 0.01));
        Assert.Equal(before, Logits(checkpoint.Model));

        checkpoint.Model.load_state_dict(other.Model.state_dict());
        checkpoint.Model.to(CPU);
        Assert.Equal(Logits(other.Model), Logits(checkpoint.Model));

        Backward(checkpoint.Model, 0);
        optimizer.Step(1e-2);
        Assert.NotEqual(Logits(other.Model), Logits(checkpoint.Model));
    }

    [Fact]
    public void After_its_end_the_parameters_keep_their_values_and_have_no_gradients()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        checkpoint.Model.eval();
        using (var optimizer = new FlatAdamW(ParameterGroup.Of(checkpoint.Model.named_parameters(), 0.01)))
        {
            Backward(checkpoint.Model, 0);
            optimizer.Step(1e-3);
        }

        Assert.All(checkpoint.Model.parameters(), parameter => Assert.Null(parameter.grad));
        Assert.All(Logits(checkpoint.Model), logit => Assert.True(float.IsFinite(logit)));
    }

    [Fact]
    public void A_model_that_was_cast_after_the_optimizer_was_made_is_refused()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using var optimizer = new FlatAdamW(ParameterGroup.Of(checkpoint.Model.named_parameters(), 0.01));
        checkpoint.Model.to(float64);

        Assert.Contains("after its optimizer", Assert.Throws<InvalidOperationException>(() => optimizer.Step(1e-3)).Message);
    }

    [Fact]
    public void Parameters_that_need_no_gradient_are_left_out_and_groups_count_decays_and_rates()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        foreach (var (name, parameter) in checkpoint.Model.named_parameters())
            if (name.Contains("embeddings")) parameter.requires_grad = false;

        var groups = ParameterGroup.Of(checkpoint.Model.named_parameters(), 0.01, name => name.Contains("layer.0.") ? 0.5 : 1);

        Assert.Equal([(0, 0.5), (0, 1), (0.01, 0.5), (0.01, 1)],
            groups.Select(group => (group.WeightDecay, group.LearningRateFactor)).Order());
        Assert.Equal(checkpoint.Model.named_parameters().Count(each => !each.name.Contains("embeddings")),
            groups.Sum(group => group.Parameters.Count));
    }

    private static void Backward(BertForSequenceClassification model, int step)
    {
        using var scope = NewDisposeScope();
        Tensor logits = model.call(tensor(Ids, [2, 6]), null, null); // [batch, labels]
        nn.functional.cross_entropy(logits, tensor(new long[] { step % 5, (step + 2) % 5 })).backward();
    }

    // Some gradients are only rounding (a key's bias changes no softmax), and AdamW steps by their sign: both take the same ones.
    private static void CopyGradients(BertForSequenceClassification from, BertForSequenceClassification to)
    {
        foreach (var (source, target) in from.parameters().Zip(to.parameters()))
            target.grad = source.grad!.clone();
    }

    private static float[] Logits(BertForSequenceClassification model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return model.call(tensor(Ids, [2, 6]), null, null).data<float>().ToArray();
    }

    private static AdamW TorchsAdamW(BertForSequenceClassification model, double decay) => optim.AdamW(
    [
        new AdamW.ParamGroup([.. Named(model, decayed: true)], 1e-3, weight_decay: decay),
        new AdamW.ParamGroup([.. Named(model, decayed: false)], 1e-3, weight_decay: 0),
    ]);

    private static IEnumerable<Parameter> Named(BertForSequenceClassification model, bool decayed) =>
        model.named_parameters().Where(each => ParameterGroup.IsDecayed(each.name) == decayed).Select(each => each.parameter);

    private static double LargestDifference(BertForSequenceClassification left, BertForSequenceClassification right) =>
        left.named_parameters().Zip(right.named_parameters())
            .Max(pair => (pair.First.parameter - pair.Second.parameter).abs().max().ToDouble());

    private static void AssertNear(float[] expected, Tensor actual)
    {
        float[] values = actual.detach().data<float>().ToArray();
        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 2e-6f));
    }
}

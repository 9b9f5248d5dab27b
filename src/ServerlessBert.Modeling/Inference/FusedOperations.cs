using System.IO.Compression;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// oneDNN's packed linears with fused GELU and residual, which TorchSharp does not bind, called through a TorchScript
/// module that is written here. A whole encoder layer is one call. It is what makes inference two to three times as
/// fast as the same layer in single operations; <see cref="ModuleForward"/> does the same where it is missing.
/// </summary>
internal sealed class FusedOperations : IDisposable
{
    /// <summary>
    /// The module's code. Tokens of all reviews are packed into one matrix, [tokens, hidden], so no padding is computed;
    /// attention goes review by review. <c>last_layer</c> answers for each review's [CLS] only, since nothing else of
    /// the last layer is looked at.
    /// </summary>
    private const string Source = """
        class Ops(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          _is_full_backward_hook : Optional[bool]
          def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
            return ops.mkldnn._reorder_linear_weight(weight)
          def layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, qkv_w: Tensor, qkv_b: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, scale: float, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            hidden = torch.size(x, 1)
            head = torch.floordiv(hidden, heads)
            qkv = ops.mkldnn._linear_pointwise(x, qkv_w, qkv_b, "none", annotate(List[Optional[number]], []), "none")
            parts = torch.split_with_sizes(qkv, lens, 0)
            contexts = annotate(List[Tensor], [])
            for i in range(torch.len(parts)):
              n = lens[i]
              q, k, v = torch.unbind(torch.permute(torch.view(parts[i], [n, 3, heads, head]), [1, 2, 0, 3]), 0)
              scores = torch.mul_(torch.bmm(q, torch.transpose(k, 1, 2)), scale)
              context = torch.bmm(torch.softmax(scores, -1), v)
              _0 = torch.append(contexts, torch.reshape(torch.transpose(context, 0, 1), [n, hidden]))
            attended = ops.mkldnn._linear_pointwise(torch.cat(contexts, 0), x, out_w, out_b, "add")
            attended1 = torch.layer_norm(attended, [hidden], norm1_w, norm1_b, eps)
            up = ops.mkldnn._linear_pointwise(attended1, up_w, up_b, "ACTIVATION", annotate(List[Optional[number]], []), "ALGORITHM")
            down = ops.mkldnn._linear_pointwise(up, attended1, down_w, down_b, "add")
            return torch.layer_norm(down, [hidden], norm2_w, norm2_b, eps)
          def last_layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, firsts: Tensor, q_w: Tensor, q_b: Tensor, kv_w: Tensor, kv_b: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, scale: float, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            hidden = torch.size(x, 1)
            head = torch.floordiv(hidden, heads)
            first = torch.index_select(x, 0, firsts)
            q_all = ops.mkldnn._linear_pointwise(first, q_w, q_b, "none", annotate(List[Optional[number]], []), "none")
            kv = ops.mkldnn._linear_pointwise(x, kv_w, kv_b, "none", annotate(List[Optional[number]], []), "none")
            parts = torch.split_with_sizes(kv, lens, 0)
            contexts = annotate(List[Tensor], [])
            for i in range(torch.len(parts)):
              n = lens[i]
              q = torch.view(torch.select(q_all, 0, i), [heads, 1, head])
              k, v = torch.unbind(torch.permute(torch.view(parts[i], [n, 2, heads, head]), [1, 2, 0, 3]), 0)
              scores = torch.mul_(torch.bmm(q, torch.transpose(k, 1, 2)), scale)
              context = torch.bmm(torch.softmax(scores, -1), v)
              _0 = torch.append(contexts, torch.reshape(context, [1, hidden]))
            attended = ops.mkldnn._linear_pointwise(torch.cat(contexts, 0), first, out_w, out_b, "add")
            attended1 = torch.layer_norm(attended, [hidden], norm1_w, norm1_b, eps)
            up = ops.mkldnn._linear_pointwise(attended1, up_w, up_b, "ACTIVATION", annotate(List[Optional[number]], []), "ALGORITHM")
            down = ops.mkldnn._linear_pointwise(up, attended1, down_w, down_b, "add")
            return torch.layer_norm(down, [hidden], norm2_w, norm2_b, eps)

        """;

    private readonly jit.ScriptModule module;

    private FusedOperations(jit.ScriptModule module) => this.module = module;

    /// <summary>Whether this platform's libtorch has no oneDNN.</summary>
    public static bool IsMissing => Missing.Value;

    private static readonly Lazy<bool> Missing = new(() =>
    {
        try
        {
            using var operations = Load("gelu");
            return false;
        }
        catch (System.Runtime.InteropServices.ExternalException)
        {
            return true; // unknown builtin op: mkldnn::…
        }
    });

    /// <summary>Compiles the module.</summary>
    /// <param name="hiddenAct">The feed-forward activation, by config.json's name.</param>
    public static FusedOperations Load(string hiddenAct) => new(jit.load(Archive(hiddenAct)));

    /// <summary>A linear's weight, [out, in], in the blocked layout of oneDNN's kernels.</summary>
    public Tensor Pack(Tensor weight) => (Tensor)module.invoke("pack", weight);

    /// <summary>A layer for all tokens, [tokens, hidden] → [tokens, hidden].</summary>
    public Tensor Layer(params object[] arguments) => (Tensor)module.invoke("layer", arguments);

    /// <summary>A layer for the reviews' first tokens, [tokens, hidden] → [reviews, hidden].</summary>
    public Tensor LastLayer(params object[] arguments) => (Tensor)module.invoke("last_layer", arguments);

    /// <inheritdoc/>
    public void Dispose() => module.Dispose();

    /// <summary>What torch.jit.save would write of such a module: a stored zip of its pickled attributes and its code.</summary>
    private static byte[] Archive(string hiddenAct)
    {
        // Compiled in: TorchSharp passes no strings to TorchScript.
        (string activation, string algorithm) = hiddenAct switch
        {
            "gelu" => ("gelu", "none"),
            "gelu_new" => ("gelu", "tanh"),
            "relu" => ("relu", "none"),
            _ => throw new ArgumentOutOfRangeException(nameof(hiddenAct), hiddenAct, "Not an activation of a BERT feed-forward layer."),
        };
        string source = Source.Replace("ACTIVATION", activation).Replace("ALGORITHM", algorithm).ReplaceLineEndings("\n");
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, "ops/version", "4\n"u8);
            Add(zip, "ops/data.pkl", Pickle());
            Add(zip, "ops/constants.pkl", [0x80, 2, (byte)')', (byte)'.']); // an empty tuple
            Add(zip, "ops/code/__torch__.py", Encoding.UTF8.GetBytes(source));
        }
        return bytes.ToArray();
    }

    private static void Add(ZipArchive zip, string name, ReadOnlySpan<byte> content)
    {
        using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        entry.Write(content);
    }

    // Pickle protocol 2 of a __torch__.Ops with {training: True, _is_full_backward_hook: None}.
    private static byte[] Pickle()
    {
        var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);
        pickle.Write("c__torch__\nOps\n)"u8); // GLOBAL, EMPTY_TUPLE
        pickle.Write([0x81]); // NEWOBJ
        pickle.Write("}("u8); // EMPTY_DICT, MARK
        WriteText(pickle, "training");
        pickle.Write([0x88]); // NEWTRUE
        WriteText(pickle, "_is_full_backward_hook");
        pickle.Write("Nub."u8); // NONE, SETITEMS, BUILD, STOP
        return pickle.ToArray();
    }

    private static void WriteText(Stream pickle, string text)
    {
        pickle.WriteByte((byte)'X');
        pickle.Write(BitConverter.GetBytes(text.Length));
        pickle.Write(Encoding.ASCII.GetBytes(text));
    }
}

using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Packed;

/// <summary>
/// oneDNN's packed linears, which TorchSharp does not bind, called through a TorchScript module that is written here:
/// <c>torch.jit.load</c> of an archive resolves every operator that libtorch has. A whole encoder layer is one call. It
/// is what makes inference two to three times as fast as the same layer in single operations;
/// <see cref="EagerForward"/> does the same where it is missing.
/// </summary>
internal sealed class TorchScriptOps
{
    /// <summary>What every module begins with: the archive's attributes are declared, its methods follow.</summary>
    private const string Head = """
        class Ops(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          _is_full_backward_hook : Optional[bool]

        """;

    // For as long as the process lives: of a module that is disposed, libtorch keeps a megabyte or two.
    private static readonly ConcurrentDictionary<string, TorchScriptOps> Compiled = new();

    private readonly jit.ScriptModule module;

    private TorchScriptOps(jit.ScriptModule module) => this.module = module;

    /// <summary>Whether this platform's libtorch has no oneDNN.</summary>
    public static bool IsMissing => Missing.Value;

    private static readonly Lazy<bool> Missing = new(() =>
    {
        try
        {
            Of("""
                  def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
                    return ops.mkldnn._reorder_linear_weight(weight)

                """);
            return false;
        }
        catch (System.Runtime.InteropServices.ExternalException)
        {
            return true; // unknown builtin op: mkldnn::…
        }
    });

    /// <summary>The module with these methods, compiled when it is first asked for; it holds no weights and is every model's.</summary>
    /// <param name="methods">Its methods, indented by two, in the form that torch.jit.save writes.</param>
    public static TorchScriptOps Of(string methods) =>
        Compiled.GetOrAdd(methods, source => new(jit.load(Archive((Head + source).ReplaceLineEndings("\n")))));

    /// <summary>Calls a method that gives one tensor; from any thread.</summary>
    /// <param name="method">One of the module's methods.</param>
    /// <param name="arguments">
    /// Tensors, and numbers as <see cref="Scalar"/>: of a bare one TorchSharp makes a Scalar that nothing holds, whose finalizer
    /// can free it before the native call has read it. What is given here lives until the call has returned.
    /// </param>
    /// <exception cref="ArgumentException">A number that is not a Scalar.</exception>
    public Tensor Call(string method, params object[] arguments)
    {
        if (Array.Find(arguments, argument => argument is long or double or float) is { } number)
            throw new ArgumentException(
                $"Give {number} to {method} as a TorchSharp.Scalar, which is held while it is read.", nameof(arguments));
        var result = (Tensor)module.invoke(method, arguments);
        GC.KeepAlive(arguments);
        return result;
    }

    /// <summary>What torch.jit.save would write of such a module: a stored zip of its pickled attributes and its code.</summary>
    private static byte[] Archive(string source)
    {
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

using System.Reflection.PortableExecutable;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>Which platform a file is made for, by its first bytes.</summary>
internal static class NativeFile
{
    private static readonly uint[] MachO = [0xFEEDFACE, 0xFEEDFACF, 0xCEFAEDFE, 0xCFFAEDFE, 0xCAFEBABE, 0xBEBAFECA];
    private const ushort X64 = 62;

    /// <summary>windows, macos, linux-x64, linux-other; null for managed code and whatever is no program.</summary>
    public static string? PlatformOf(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[20];
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length) return null;
        if (head[..4].SequenceEqual("\u007fELF"u8)) return BitConverter.ToUInt16(head[18..]) == X64 ? "linux-x64" : "linux-other";
        if (MachO.Contains(BitConverter.ToUInt32(head))) return "macos";
        if (!head[..2].SequenceEqual("MZ"u8)) return null;
        file.Position = 0;
        using var image = new PEReader(file);
        return image.HasMetadata ? null : "windows";
    }
}

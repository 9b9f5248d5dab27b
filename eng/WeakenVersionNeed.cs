using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies a 64-bit little-endian ELF library and marks one version need (library, version) as weak in the copy, when
/// no relocation uses a symbol of that version. A dynamic linker that does not find a weak version goes on; one that
/// finds it sees no difference. Where the file differs from what is expected the copy is left as it was, with a
/// message that says why.
/// </summary>
/// <remarks>
/// Format: "Symbol Versioning" in the Linux Standard Base Core specification (Elfxx_Verneed, Elfxx_Vernaux;
/// VER_FLG_WEAK is 2 in vna_flags). Kept to netstandard2.0's library, which inline MSBuild tasks compile against.
/// </remarks>
public class WeakenVersionNeed : Task
{
    /// <summary>The package's file; never written.</summary>
    [Required] public string Source { get; set; }

    /// <summary>Where the copy goes; replaced when older than <see cref="Source"/>.</summary>
    [Required] public string Destination { get; set; }

    /// <summary>The library whose version is named as needed, such as libstdc++.so.6.</summary>
    [Required] public string Library { get; set; }

    /// <summary>The version's name, such as GLIBCXX_3.4.32.</summary>
    [Required] public string Version { get; set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        if (File.Exists(Destination) && File.GetLastWriteTimeUtc(Destination) >= File.GetLastWriteTimeUtc(Source)
            && new FileInfo(Destination).Length == new FileInfo(Source).Length)
            return true;

        byte[] image = File.ReadAllBytes(Source);
        string reason;
        if (ElfVersionNeeds.TryWeaken(image, Library, Version, out reason))
            Log.LogMessage(MessageImportance.Low, Path.GetFileName(Source) + ": marked the need of " + Version + " as weak.");
        else
            Log.LogMessage(MessageImportance.High, Path.GetFileName(Source) + " is left as it is: " + reason);

        // Written beside and moved, because outputs are hard links to this file and projects build in parallel.
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        string temporary = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, image);
        if (File.Exists(Destination)) File.Delete(Destination);
        try { File.Move(temporary, Destination); }
        catch (IOException) when (File.Exists(Destination)) { File.Delete(temporary); }
        return true;
    }
}

/// <summary>The version needs of an ELF image in memory.</summary>
public static class ElfVersionNeeds
{
    private const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const uint RelocationsWithAddend = 4, Relocations = 9;
    private const ushort WeakFlag = 2;

    /// <summary>Sets VER_FLG_WEAK on exactly the entry (library, version); false, with the reason, where that would not be safe.</summary>
    public static bool TryWeaken(byte[] image, string library, string version, out string reason)
    {
        try
        {
            List<Section> sections;
            if (!TryReadSections(image, out sections, out reason)) return false;

            int flagsOffset; ushort index;
            if (!TryFindNeed(image, sections, library, version, out flagsOffset, out index))
            {
                reason = "it does not name " + version + " of " + library + " as needed.";
                return false;
            }
            if (IsUsedByRelocation(image, sections, index))
            {
                reason = "a relocation uses a symbol of " + version + ", so the version is really needed.";
                return false;
            }
            ushort flags = (ushort)(BitConverter.ToUInt16(image, flagsOffset) | WeakFlag);
            image[flagsOffset] = (byte)flags;
            image[flagsOffset + 1] = (byte)(flags >> 8);
            reason = null;
            return true;
        }
        catch (Exception exception) when (
            exception is ArgumentException || exception is IndexOutOfRangeException || exception is OverflowException)
        {
            reason = "its ELF tables point outside of the file.";
            return false;
        }
    }

    private sealed class Section
    {
        public uint Type, Link;
        public int Offset, Size, EntrySize;
    }

    private static bool TryReadSections(byte[] image, out List<Section> sections, out string reason)
    {
        sections = new List<Section>();
        bool is64BitLittleEndian = image.Length > 64 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F'
            && image[4] == 2 && image[5] == 1;
        reason = is64BitLittleEndian ? null : "it is not a 64-bit little-endian ELF file.";
        if (!is64BitLittleEndian) return false;

        int table = Position(image, 0x28), entrySize = BitConverter.ToUInt16(image, 0x3a), count = BitConverter.ToUInt16(image, 0x3c);
        for (int i = 0; i < count; i++)
        {
            int at = checked(table + i * entrySize);
            sections.Add(new Section
            {
                Type = BitConverter.ToUInt32(image, at + 4),
                Offset = Position(image, at + 24),
                Size = Position(image, at + 32),
                Link = BitConverter.ToUInt32(image, at + 40),
                EntrySize = Position(image, at + 56),
            });
        }
        return true;
    }

    private static bool TryFindNeed(
        byte[] image, List<Section> sections, string library, string version, out int flagsOffset, out ushort index)
    {
        foreach (Section needs in sections)
        {
            if (needs.Type != VersionNeeds) continue;
            int strings = sections[checked((int)needs.Link)].Offset;
            for (int need = needs.Offset, more = 1; more != 0; need += more)
            {
                more = Forward(BitConverter.ToInt32(image, need + 12));
                if (NameAt(image, strings, BitConverter.ToInt32(image, need + 4)) != library) continue;
                int aux = need + BitConverter.ToInt32(image, need + 8);
                for (int moreAux = 1; moreAux != 0; aux += moreAux)
                {
                    moreAux = Forward(BitConverter.ToInt32(image, aux + 12));
                    if (NameAt(image, strings, BitConverter.ToInt32(image, aux + 8)) != version) continue;
                    flagsOffset = aux + 4;
                    index = BitConverter.ToUInt16(image, aux + 6);
                    return true;
                }
            }
        }
        flagsOffset = 0;
        index = 0;
        return false;
    }

    private static bool IsUsedByRelocation(byte[] image, List<Section> sections, ushort versionIndex)
    {
        Section versions = sections.Find(section => section.Type == SymbolVersions);
        if (versions == null) return false;
        foreach (Section relocations in sections)
        {
            if (relocations.Type != RelocationsWithAddend && relocations.Type != Relocations) continue;
            if (relocations.EntrySize == 0 || sections[checked((int)relocations.Link)].Type != DynamicSymbols) continue;
            int end = checked(relocations.Offset + relocations.Size);
            for (int at = relocations.Offset; at < end; at = checked(at + relocations.EntrySize))
            {
                int symbol = checked((int)(BitConverter.ToUInt64(image, at + 8) >> 32));
                if (symbol != 0 && (BitConverter.ToUInt16(image, versions.Offset + 2 * symbol) & 0x7fff) == versionIndex) return true;
            }
        }
        return false;
    }

    /// <summary>A step to the next entry; one back would go in circles.</summary>
    private static int Forward(int step)
    {
        if (step < 0) throw new IndexOutOfRangeException();
        return step;
    }

    private static int Position(byte[] image, int at) { return checked((int)BitConverter.ToUInt64(image, at)); }

    private static string NameAt(byte[] image, int strings, int offset)
    {
        int start = checked(strings + offset), end = start;
        while (image[end] != 0) end++;
        return Encoding.ASCII.GetString(image, start, end - start);
    }
}

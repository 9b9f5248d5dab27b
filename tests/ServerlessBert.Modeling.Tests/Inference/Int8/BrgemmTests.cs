using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using CsCheck;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class BrgemmTests
{
    [Fact]
    public void The_kernels_are_found_where_the_processor_has_their_instructions()
    {
        const int avx512Vnni = 1 << 11;
        bool hasVnni = X86Base.IsSupported && Avx512BW.IsSupported && (X86Base.CpuId(7, 0).Ecx & avx512Vnni) != 0;

        Assert.Equal(hasVnni && OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            Brgemm.IsSupported);
    }

    [VnniFact]
    public void Products_of_bytes_are_exact() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 4], Gen.Int[1, 60], Gen.Int[0, 1000]).Sample((rows, vectors, quads, seed) =>
        {
            int columns = vectors * 16, depth = quads * 4;
            var random = new Random(seed);
            byte[] left = new byte[rows * depth];
            random.NextBytes(left);
            sbyte[] right = [.. Enumerable.Range(0, depth * columns).Select(_ => (sbyte)random.Next(-128, 128))];
            int[] result = new int[rows * columns];
            fixed (byte* l = left)
            fixed (sbyte* r = right)
            fixed (int* sums = result)
                Brgemm.Multiply(rows, columns, depth, l, depth, r, sums);

            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    int sum = Enumerable.Range(0, depth)
                        .Sum(k => left[(row * depth) + k] * right[(((k / 4 * columns) + column) * 4) + (k % 4)]);
                    Assert.Equal(sum, result[(row * columns) + column]);
                }
            }
        }, iter: 30, threads: 1);
}

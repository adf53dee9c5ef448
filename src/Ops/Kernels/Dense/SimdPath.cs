using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Which set of instructions the dense kernels use.</summary>
/// <remarks>
/// The path changes the speed, never a bit: float kernels add the products of one output element in the same order
/// with the same fused roundings on every path, and integer kernels are exact.
/// </remarks>
public enum SimdPath
{
    /// <summary>128-bit vectors of the runtime; every processor.</summary>
    Portable,

    /// <summary>x86 with AVX2 and FMA.</summary>
    Avx2,

    /// <summary>
    /// AVX2 and the 8-bit dot product of AVX-VNNI for int8 kernels; float and int16 kernels as <see cref="Avx2"/>.
    /// </summary>
    AvxVnni,

    /// <summary>AVX-512 (F, BW, DQ, VL).</summary>
    Avx512,
}

/// <summary>What this processor can run.</summary>
public static class SimdPaths
{
    /// <summary>Measured: at 64 products a 512-bit tile of 16-bit pairs still beats 256 bits of 8-bit quads, at 128 it ties.</summary>
    private const int ShortSum = 96;

    /// <summary>The fastest path of float and int16 kernels; decided once.</summary>
    public static SimdPath Best { get; } = Choose();

    /// <summary>Whether this processor can run a path.</summary>
    public static bool IsSupported(SimdPath path) => path switch
    {
        SimdPath.Portable => true,
        SimdPath.Avx2 => HasAvx2,
        SimdPath.AvxVnni => HasAvx2 && AvxVnni.IsSupported,
        SimdPath.Avx512 => HasAvx2 && HasAvx512,
        _ => throw new ArgumentOutOfRangeException(nameof(path), path, "Not a path."),
    };

    /// <summary>The fastest path of int8 kernels.</summary>
    /// <param name="depth">Products of one output. Short sums are bound by the tile's frame, where wide tiles win.</param>
    internal static SimdPath ForInt8(int depth) =>
        IsSupported(SimdPath.AvxVnni) && (depth > ShortSum || Best != SimdPath.Avx512) ? SimdPath.AvxVnni : Best;

    private static bool HasAvx2 => Avx2.IsSupported && Fma.IsSupported;

    private static bool HasAvx512 =>
        Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported;

    /// <summary>The named path, or <see cref="Best"/> for null.</summary>
    /// <exception cref="PlatformNotSupportedException">This processor cannot run <paramref name="path"/>.</exception>
    internal static SimdPath Resolve(SimdPath? path)
    {
        SimdPath chosen = path ?? Best;
        return IsSupported(chosen)
            ? chosen
            : throw new PlatformNotSupportedException($"This processor has no {chosen} instructions.");
    }

    private static SimdPath Choose() =>
        IsSupported(SimdPath.Avx512) ? SimdPath.Avx512
        : IsSupported(SimdPath.AvxVnni) ? SimdPath.AvxVnni
        : IsSupported(SimdPath.Avx2) ? SimdPath.Avx2
        : SimdPath.Portable;
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Formats.EthosU;

/// <summary>The numbers in twelve unary digits, each a bit that says whether its number goes on.</summary>
/// <param name="lanes">Digits that go on before the one that ends each number; then those after the last end, and how many numbers end.</param>
internal readonly struct UnaryStep(Vector128<byte> lanes)
{
    private const int Digits = 12;

    private static readonly UnaryStep[] Steps = [.. Enumerable.Range(0, 1 << Digits).Select(d => Make((uint)d))];

    private readonly Vector128<byte> _lanes = lanes;

    /// <summary>Numbers that end.</summary>
    public int Count => _lanes[Digits + 1];

    /// <summary>Digits that go on behind the last end.</summary>
    public int Rest => _lanes[Digits];

    /// <summary>Digits that go on before the first end.</summary>
    public int First => _lanes[0];

    /// <summary>Digits that go on before each end; the last four lanes have no meaning.</summary>
    public Vector256<ushort> Lengths => Avx2.IsSupported
        ? Avx2.ConvertToVector256Int16(_lanes).AsUInt16()
        : Vector256.Create(Vector128.WidenLower(_lanes), Vector128.WidenUpper(_lanes));

    /// <param name="digits">Bit for each digit; those above the first twelve do not count.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref readonly UnaryStep Of(uint digits) => ref Steps[digits & ((1u << Digits) - 1)];

    private static UnaryStep Make(uint digits)
    {
        Span<byte> lanes = stackalloc byte[Vector128<byte>.Count];
        lanes.Clear();
        int count = 0;
        byte length = 0;
        for (int i = 0; i < Digits; i++, digits >>= 1)
        {
            if ((digits & 1) != 0)
            {
                length++;
                continue;
            }

            lanes[count++] = length;
            length = 0;
        }

        lanes[Digits] = length;
        lanes[Digits + 1] = (byte)count;
        return new(Vector128.Create<byte>(lanes));
    }
}

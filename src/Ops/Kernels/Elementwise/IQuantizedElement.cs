using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>One element of a binary operator on quantized numbers, alone and eight at once.</summary>
internal interface IQuantizedElement
{
    /// <param name="first">Raw value of the first operand.</param>
    /// <param name="second">Raw value of the second operand.</param>
    /// <returns>Raw result, within the range of the result's type.</returns>
    int Invoke(int first, int second);

    /// <summary>Bit for bit what the scalar form gives for each lane; asked for only where AVX2 is supported.</summary>
    Vector256<int> Invoke(Vector256<int> first, Vector256<int> second);
}

using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>One element of a binary operator on numbers that mean themselves, alone and as a vector of them.</summary>
/// <typeparam name="T">Element type of both operands and of the result.</typeparam>
internal interface IPlainElement<T>
    where T : unmanaged
{
    T Invoke(T first, T second);

    /// <summary>Bit for bit what the scalar form gives for each element.</summary>
    Vector256<T> Invoke(Vector256<T> first, Vector256<T> second);
}

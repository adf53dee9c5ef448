namespace Optc.Ops.Kernels;

/// <summary>One step of a reduction, implemented by a struct so that loops over it are specialised.</summary>
internal interface IReducer<in T, TSum>
{
    /// <summary>Result over no elements.</summary>
    TSum Initial { get; }

    TSum Add(TSum sum, T value);
}

/// <summary>A reduction of float32 numbers that can take eight outputs at a time.</summary>
internal interface IFloatReducer : IReducer<float, float>
{
    System.Runtime.Intrinsics.Vector256<float> Add(
        System.Runtime.Intrinsics.Vector256<float> sums, System.Runtime.Intrinsics.Vector256<float> values);
}

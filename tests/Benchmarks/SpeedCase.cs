namespace Optc.Tests.Benchmarks;

/// <summary>A kernel with its shape and data.</summary>
/// <param name="Name">Layer or shape, then the kind and instructions, e.g. <c>resnet 3x3 16 f32 Avx512</c>.</param>
/// <param name="Operations">Floating-point or integer operations of one run, two for a product.</param>
/// <param name="Run">One run; allocates nothing.</param>
internal sealed record SpeedCase(string Name, long Operations, Action Run);

using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>The integer grid of a value, as a quantized model has it.</summary>
/// <param name="Value">Name of the value in the prepared float graph.</param>
/// <param name="Group">Values of one group share their grid, whatever it is.</param>
/// <param name="Type">i8 or i16.</param>
/// <param name="IsFixed">An operator demands this grid.</param>
public sealed record ActivationGrid(string Value, int Group, DType Type, QuantParams Grid, bool IsFixed);

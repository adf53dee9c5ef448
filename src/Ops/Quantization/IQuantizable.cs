using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Quantization;

/// <summary>An op that a full-integer model may contain; says what its format demands of each operand.</summary>
public interface IQuantizable
{
    /// <exception cref="OpRuleException">These operands cannot be quantized; the message is the reason for the report.</exception>
    QuantRule QuantRule(OpOperands operands);
}

/// <summary>What quantization does to the operands of an op. How ranges are found is no part of it.</summary>
/// <param name="Inputs">One rule for each operand.</param>
/// <param name="Outputs">One rule for each output.</param>
public sealed record QuantRule(ImmutableArray<OperandRule> Inputs, ImmutableArray<OperandRule> Outputs)
{
    /// <summary>Activation types for which integer kernels exist.</summary>
    public KernelTypes Activations { get; init; } = KernelTypes.I8 | KernelTypes.I16;

    /// <summary>True when the op also runs with float activations and integer weights (dynamic range).</summary>
    public bool Hybrid { get; init; }

    /// <summary>One float activation in, one out, each with a range of its own.</summary>
    public static QuantRule Unary { get; } = new([OperandRule.Activation], [OperandRule.Activation]);

    /// <summary>Data movement: the output has the parameters of the first input; the other operands are not quantized.</summary>
    public static QuantRule Moving(int operands, int outputs = 1) => new(
        [OperandRule.Activation, .. Enumerable.Repeat(OperandRule.AsIs, operands - 1)],
        [.. Enumerable.Repeat(OperandRule.SameAsInput(0), outputs)]);
}

/// <summary>What quantization does to one operand.</summary>
public abstract record OperandRule
{
    /// <summary>Quantized per tensor with a range of its own.</summary>
    public static OperandRule Activation { get; } = new ActivationRule();

    /// <summary>Left as it is: indices, shapes, conditions.</summary>
    public static OperandRule AsIs { get; } = new AsIsRule();

    /// <summary>Has exactly the parameters of input <paramref name="index"/>; ranges of all that are tied are united.</summary>
    public static OperandRule SameAsInput(int index) => new SharedRule(index);

    /// <summary>Weights: constant, symmetric, narrow range, per channel along <paramref name="axis"/> where allowed.</summary>
    public static OperandRule WeightsAlong(int axis, bool perChannel = true) => new WeightsRule(axis, perChannel);

    /// <summary>i16 with zero point 0 beside 8-bit activations too: filter state and the weights on it, constants or variables.</summary>
    public static OperandRule Wide { get; } = new WideRule();

    /// <summary>Bias: scale = scale of <paramref name="input"/> times scale(s) of <paramref name="weights"/>, zero point 0.</summary>
    public static OperandRule BiasOf(int input, int weights) => new BiasRule(input, weights);

    /// <summary>Parameters that the format fixes, for 8-bit and for 16-bit activations.</summary>
    public static OperandRule FixedTo(float scale8, int zeroPoint8, float scale16) => new FixedRule(new(scale8, zeroPoint8), new(scale16, 0));
}

public sealed record ActivationRule : OperandRule;

public sealed record AsIsRule : OperandRule;

public sealed record SharedRule(int Input) : OperandRule;

/// <param name="Axis">Output channel axis of the weights.</param>
/// <param name="PerChannel">False where the kernels know per-tensor weights only.</param>
public sealed record WeightsRule(int Axis, bool PerChannel) : OperandRule;

public sealed record WideRule : OperandRule;

public sealed record BiasRule(int Input, int Weights) : OperandRule;

public sealed record FixedRule(QuantParams Int8, QuantParams Int16) : OperandRule;

using System.Diagnostics.CodeAnalysis;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fold;

/// <summary>A node that computes <c>y = factor * x + offset</c> with constants for each channel, the last dimension.</summary>
/// <param name="X">The computed operand.</param>
/// <param name="Activation">The activation behind it.</param>
internal sealed record AffineStep(Node Node, Value X, Value Constant, bool ConstantIsFirst, FusedActivation Activation)
{
    /// <summary>True when the factor is 1 for every channel.</summary>
    public bool IsOffsetOnly => Node.Op is Add || (Node.Op is Sub && !ConstantIsFirst);

    /// <summary>Reads a node, or says why it is no such step.</summary>
    public static AffineStep? Of(Node node, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        if (node.Op is not (Add or Sub or Mul or Div) || node.Inputs is not [{ } a, { } b])
        {
            reason = $"{node} is no sum, difference, product or quotient";
            return null;
        }

        if ((a.Constant is null) == (b.Constant is null))
        {
            reason = "not exactly one operand is a constant";
            return null;
        }

        (Value x, Value constant) = a.Constant is null ? (a, b) : (b, a);
        if (x.IsVariable)
        {
            reason = $"the variable '{x.Name}' may change before the layer reads it";
            return null;
        }

        if (x.Type.DType is not DType.F32)
        {
            reason = $"{x.Type.DType.Name} would round differently";
            return null;
        }

        if (node.Op is Div && a.Constant is not null)
        {
            reason = "the constant is what is divided";
            return null;
        }

        // The step must not enlarge x: every dimension but the last is 1, or left out.
        if (!x.Type.Shape.HasRank || !x.Type.Shape.Equals(node.Output.Type.Shape) || constant.Type.Shape.Rank > x.Type.Shape.Rank)
        {
            reason = $"it enlarges {x.Type.Shape} to {node.Output.Type.Shape}";
            return null;
        }

        if (constant.Type.Shape.Dims.SkipLast(1).Any(d => d != 1))
        {
            reason = $"the constant has a number for each position: {constant.Type.Shape}";
            return null;
        }

        if (!Array.TrueForAll(constant.Constant!.ToDense().AsFloats().ToArray(), float.IsFinite))
        {
            reason = "the constant is not finite";
            return null;
        }

        return new(node, x, constant, a.Constant is not null, ((Arithmetic)node.Op).Activation);
    }

    /// <summary>The factor of each channel.</summary>
    public double[] Factors(int channels) => Node.Op switch
    {
        Mul => Numbers(channels),
        Div => Array.ConvertAll(Numbers(channels), n => 1 / n),
        Sub when ConstantIsFirst => Filled(channels, -1),
        _ => Filled(channels, 1),
    };

    /// <summary>The offset of each channel.</summary>
    public double[] Offsets(int channels) => Node.Op switch
    {
        Mul or Div => new double[channels],
        Sub when !ConstantIsFirst => Array.ConvertAll(Numbers(channels), n => -n),
        _ => Numbers(channels),
    };

    private static double[] Filled(int count, double value)
    {
        double[] numbers = new double[count];
        Array.Fill(numbers, value);
        return numbers;
    }

    private double[] Numbers(int channels)
    {
        float[] given = Constant.Constant!.ToDense().AsFloats().ToArray();
        return given.Length == 1 ? Filled(channels, given[0]) : Array.ConvertAll(given, n => (double)n);
    }
}

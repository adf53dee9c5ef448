using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes arithmetic with a constant that changes nothing.
/// <code>
///   mul(x, 1)   div(x, 1)   sub(x, 0)   add(x, -0)   and for integers that mean themselves add(x, 0)
///   => x
/// </code>
/// </summary>
/// <remarks>
/// Exact for every finite x and for NaN. A float <c>x + 0</c> stays, since it turns -0 into +0, and so does <c>x - (-0)</c>.
/// An infinite x passes where the kernels would limit it to the largest finite number.
/// </remarks>
public sealed class RemoveNeutralOperand : IRewriteRule
{
    public string Name => "remove-neutral-operand";

    public string Summary => "removes MUL and DIV by 1, and ADD and SUB of 0 where the sign of zero stays";

    public bool Concerns(IOp op) => op is Add or Sub or Mul or Div;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        bool first = node.Inputs[0]!.Constant is not null;
        (Value x, TensorData? constant) = (node.Inputs[first ? 1 : 0]!, node.Inputs[first ? 0 : 1]!.Constant);
        if (constant is null || x.Constant is not null)
        {
            return Rewrite.Decline("not exactly one operand is a constant");
        }

        if (x.Type.Quant is not null)
        {
            return Rewrite.Decline("quantized arithmetic rounds to the grid of the result");
        }

        if (node.Op is Sub or Div && first)
        {
            return Rewrite.Decline("the constant is what is subtracted from or divided");
        }

        if (node.Op is Arithmetic { Activation: not FusedActivation.None and var activation })
        {
            return Rewrite.Decline($"the fused {activation} changes the result");
        }

        if (!Neutral(node.Op, constant.ToDense()))
        {
            return Rewrite.Decline("the constant is not neutral for every number");
        }

        return Identity.Forward(graph, node, x, patch);
    }

    private static bool Neutral(IOp op, TensorData constant) => constant.DType switch
    {
        DType.F32 => All(constant, BitConverter.SingleToInt32Bits(op is Mul or Div ? 1f : op is Add ? -0f : 0f)),
        DType.I32 => All(constant, op is Mul or Div ? 1 : 0),
        DType.I64 => All(constant, op is Mul or Div ? 1L : 0L),
        DType.I16 => All(constant, (short)(op is Mul or Div ? 1 : 0)),
        _ => false,
    };

    private static bool All<T>(TensorData constant, T bits)
        where T : unmanaged, IEquatable<T> => !MemoryMarshal.Cast<byte, T>(constant.Bytes.Span).ContainsAnyExcept(bits);
}

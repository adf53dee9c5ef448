using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fuse;

/// <summary>
/// Makes a rectifier the fused activation of the node before it.
/// <code>
///   relu(conv_2d(x, w, b))
///   => conv_2d(x, w, b, activation: relu)
/// </code>
/// </summary>
/// <remarks>
/// <para>RELU, RELU6 and RELU_N1_TO_1 behind CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, ADD, SUB, MUL and
/// the pools: the ops whose options carry an activation that every kernel computes. An activation that is there already is
/// joined where the two make one that exists (RELU of RELU6 is RELU6).</para>
/// <para>Quantized nodes need equal parameters before and behind: the fused limits are then those raw values that the
/// rectifier limits to, and nothing is rescaled.</para>
/// </remarks>
public sealed class FuseActivation : IRewriteRule
{
    public string Name => "fuse-activation";

    public string Summary => "makes RELU, RELU6 and RELU_N1_TO_1 the fused activation of the node before them";

    public bool Concerns(IOp op) => op is Relu or Relu6 or ReluN1To1 or Relu0To1 or Tanh;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (Form(node.Op) is not { } wanted)
        {
            return Rewrite.Decline(node.Op is Tanh ? "the kernels ignore a fused TANH" : "it has no fused form");
        }

        Value y = node.Inputs[0]!;
        if (y.Producer is not { } producer || ActivationSlot.Of(producer.Op) is not { } present)
        {
            return Rewrite.Decline("its operand is not the result of a node that takes an activation");
        }

        if (ActivationSlot.Join(present, wanted) is not { } joined)
        {
            return Rewrite.Decline($"{present} and {wanted} in a row are no fused activation");
        }

        if (y.UseCount > 1 || graph.IsOutput(y))
        {
            return Rewrite.Decline($"'{y.Name}' has other uses, before the activation");
        }

        if (!Equals(y.Type.Quant, node.Output.Type.Quant))
        {
            return Rewrite.Decline("it changes the quantization");
        }

        return patch.Replace(
            node.Output,
            patch.Add(ActivationSlot.With(producer.Op, joined), producer.Inputs, node.Output, producer.Name));
    }

    private static FusedActivation? Form(IOp op) => op switch
    {
        Relu => FusedActivation.Relu,
        Relu6 => FusedActivation.Relu6,
        ReluN1To1 => FusedActivation.ReluN1To1,
        _ => null,
    };
}

using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The same elements under another shape.</summary>
/// <param name="NewShape">Shape of the result, at most one -1; empty when the second operand gives it.</param>
/// <remarks>
/// <para>Shape: <c>x [any], shape [rank] (optional) -> y [shape]</c>; -1 stands for what the number of elements leaves.
/// A shape that is computed, or given by neither, is that which the graph declares for the result.</para>
/// <para>Types: any. Source: TFLite builtin 22, reference kernel <c>reshape_common.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record Reshape(ImmutableArray<int> NewShape) : IOp<Reshape>, IReshaping, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Reshape>
{
    public static OpSchema Declaration { get; } = new("reshape", ["x", "shape?"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Reshape;

    public static int MaximumVersion => 1;

    public static Reshape Parse(AttributeReader attributes) => new(attributes.Ints("shape"));

    public static Reshape Read(TfLiteSource source) => new(source.Options<ReshapeOptions>().NewShape);

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new ReshapeOptions { NewShape = NewShape });

    public void Describe(AttributeWriter attributes) => attributes.Add("shape", NewShape);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0);
        int[]? wanted = operands.Has(1) ? operands.Ints(1) : NewShape.IsEmpty ? null : [.. NewShape];
        if (wanted is null)
        {
            return [x with { Shape = operands.DeclaredShape(0), Quant = null }];
        }

        return [x with { Shape = Resolve(x.Shape, wanted), Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Reshape(g.Gradient(), g.Input(0).Type.Shape));

    public void TraceChannels(ChannelTracer t)
    {
        int[]? wanted = t.Node.Input(1) is null ? [.. NewShape] : t.Ints(1);
        if (wanted is null or [])
        {
            t.FixInputs($"the shape of {t.Node} is computed");
        }
        else if (t.PassOnReshaped() is { } y && t.Node.Input(1) is not null && wanted[y.Axis] >= 0)
        {
            t.Counted(1, y.Axis, y.Channels);
        }
    }

    public IOp Shrunk(ImmutableArray<Shape> inputs, ImmutableArray<Shape> outputs) => NewShape.Length == outputs[0].Rank
        ? this with { NewShape = [.. NewShape.Zip(outputs[0].Dims, (old, now) => old < 0 ? old : now)] }
        : this;

    public Kernel Prepare(KernelContext context) => () => context.InputBytes(0).CopyTo(context.OutputBytes(0));

    private static Shape Resolve(Shape x, int[] wanted)
    {
        int free = Array.IndexOf(wanted, -1);
        long known = 1;
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] < -1 || (wanted[i] == -1 && i != free))
            {
                throw new OpRuleException("a shape has at most one -1 and no other negative size") { Found = Shape.Create(wanted).ToString() };
            }

            known = i == free ? known : checked(known * wanted[i]);
        }

        if (!x.IsKnown)
        {
            return Shape.Create(wanted);
        }

        if (free >= 0 && known > 0 && x.ElementCount % known == 0)
        {
            wanted = [.. wanted];
            wanted[free] = checked((int)(x.ElementCount / known));
            return Shape.Create(wanted);
        }

        return free < 0 && known == x.ElementCount
            ? Shape.Create(wanted)
            : throw new OpRuleException("a reshape changes the number of elements")
            {
                Found = $"{x} to {Shape.Create(wanted)}",
                Expected = $"{x.ElementCount} elements",
            };
    }
}

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

/// <summary>Tensors one after the other along one axis.</summary>
/// <param name="Axis">The axis; negative ones count from the end.</param>
/// <remarks>
/// <para>Shape: <c>x* [.., di, ..] -> y [.., sum of di, ..]</c>; the other dimensions are equal.</para>
/// <para>
/// Types: any of whole bytes, the same for all. Integers are copied: scale and zero point of int8 and uint8 inputs are
/// those of the output; int16 inputs have zero point 0, and their scales are not compared, as in the reference.
/// </para>
/// <para>
/// Source: TFLite builtin 2, reference kernel <c>reference/concatenation.h</c>, versions 1 to 4. A fused activation is
/// refused, as there.
/// </para>
/// </remarks>
public sealed record Concatenation(int Axis) : IOp<Concatenation>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Concatenation>
{
    public static OpSchema Declaration { get; } = new("concatenation", ["x*"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Concatenation;

    public static int MaximumVersion => 4;

    public static Concatenation Parse(AttributeReader attributes) => new(attributes.Int("axis"));

    public static Concatenation Read(TfLiteSource source)
    {
        ConcatenationOptions options = source.Options<ConcatenationOptions>();
        return options.FusedActivationFunction is ActivationFunctionType.None
            ? new(options.Axis)
            : throw new OpRuleException("a concatenation has no activation") { Found = $"{options.FusedActivationFunction}", Expected = "None" };
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch { DType.U32 => 4, DType.I16 => 3, DType.I8 => 2, _ => 1 },
        new ConcatenationOptions { Axis = Axis });

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        DType type = operands.RequireSameType(0, operands.Count);
        int[]? dims = null;
        int axis = 0;
        bool unranked = false;
        for (int i = 0; i < operands.Count; i++)
        {
            Shape x = operands[i].Shape;
            if (!x.HasRank)
            {
                unranked = true;
                continue;
            }

            if (dims is null)
            {
                axis = Dimensions.Axis(Axis, x.Rank);
                dims = [.. x];
                continue;
            }

            if (x.Rank != dims.Length)
            {
                throw new OpRuleException("concatenated tensors have different ranks") { Found = $"{x}", Expected = $"{dims.Length} dimensions" };
            }

            for (int d = 0; d < dims.Length; d++)
            {
                dims[d] = d != axis ? Dimensions.Agree(dims[d], x[d], "dimensions of concatenated tensors")
                    : dims[d] < 0 || x[d] < 0 ? -1
                    : Dimensions.Size((long)dims[d] + x[d]);
            }
        }

        if (dims is null)
        {
            return [new(type, Shape.Unranked)];
        }

        dims[axis] = unranked ? -1 : dims[axis];
        return [new(type, Dimensions.Checked(dims))];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.Activation, .. Enumerable.Repeat(OperandRule.SameAsInput(0), operands.Count - 1)],
        [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g)
    {
        int axis = Dimensions.Axis(Axis, g.Output().Type.Shape.Rank);
        int begin = 0;
        for (int i = 0; i < g.InputCount; i++)
        {
            int size = g.Input(i).Type.Shape[axis];
            if (g.Wants(i))
            {
                g.Give(i, g.SliceAlong(g.Gradient(), axis, begin, size));
            }

            begin += size;
        }
    }

    public void TraceChannels(ChannelTracer t)
    {
        ImmutableArray<ChannelAxis?> inputs = [.. Enumerable.Range(0, t.Node.Inputs.Length).Select(t.Input)];
        if (inputs.FirstOrDefault(i => i is not null) is not { } first)
        {
            return;
        }

        int axis = Dimensions.Axis(Axis, t.Shape(0).Rank);
        bool isAlongChannels = first.Axis == axis;
        if (inputs.Any(i => i is null ? !isAlongChannels : i.Axis != first.Axis) || t.Node.Inputs.Any(v => v!.Type.Shape[first.Axis] < 0))
        {
            t.FixInputs($"{t.Node} joins it with something that keeps all channels");
            return;
        }

        if (isAlongChannels)
        {
            ImmutableArray<ChannelAxis> parts =
            [
                .. inputs.Select((x, i) => x ?? new(axis, t.Add(t.Shape(i)[axis], $"'{t.Node.Inputs[i]!.Name}' keeps all channels"), [.. new bool[t.Shape(i)[axis]]])),
            ];
            t.Give(new(axis, [.. parts.SelectMany(p => p.Channels)], [.. parts.SelectMany(p => p.IsZero)]));
            return;
        }

        foreach (ChannelAxis other in inputs.OfType<ChannelAxis>())
        {
            for (int i = 0; i < first.Count; i++)
            {
                t.Tie(first.Channels[i], other.Channels[i]);
            }
        }

        t.Give(first with { IsZero = [.. Enumerable.Range(0, first.Count).Select(k => inputs.All(i => i!.IsZero[k]))] });
    }

    public Kernel Prepare(KernelContext context)
    {
        int elementSize = context.ElementSize();
        RequireQuantization(context);
        Shape y = context.Output(0).Shape;
        int axis = Dimensions.Axis(Axis, y.Rank);
        int[] rowBytes = new int[context.InputCount];
        for (int i = 0; i < rowBytes.Length; i++)
        {
            rowBytes[i] = checked((int)Dimensions.Inner(context.Input(i).Shape, axis) * elementSize);
        }

        return MovedTensors.Join(context, (int)Dimensions.Outer(y, axis), rowBytes);
    }

    private static void RequireQuantization(KernelContext context)
    {
        if (context.Output(0) is { DType: DType.I16 })
        {
            for (int i = 0; i < context.InputCount; i++)
            {
                if (context.Input(i).Quant is { ZeroPoint: not 0 } x)
                {
                    throw new OpRuleException("int16 has zero point 0") { Found = $"{x}" };
                }
            }

            return;
        }

        for (int i = 0; i < context.InputCount; i++)
        {
            context.RequireSameQuantization(i);
        }
    }
}

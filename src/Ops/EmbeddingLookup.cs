using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Rows of a table, chosen by index.</summary>
/// <remarks>
/// <para>Shape: <c>index [K], table [R, d...] -> y [K, d...]</c>; an index outside <c>0..R-1</c> is an error at run time.</para>
/// <para>Types: index i32. Table and y f32, or both i8 with equal parameters (rows are copied); table i8 or i4 with
/// zero point 0 and y f32, one scale for the table or one for each row: <c>y = scale * table</c>. An i8 table gives f32
/// unless i8 is declared.</para>
/// <para>Source: TFLite builtin 7, <c>embedding_lookup.cc</c> of LiteRT, versions 1 to 4.</para>
/// </remarks>
public sealed record EmbeddingLookup : IOp<EmbeddingLookup>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<EmbeddingLookup>
{
    public static OpSchema Declaration { get; } = new("embedding_lookup", ["index", "table"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.Hybrid,
    };

    public static BuiltinOperator Code => BuiltinOperator.EmbeddingLookup;

    public static int MaximumVersion => 4;

    public static EmbeddingLookup Parse(AttributeReader attributes) => new();

    public static EmbeddingLookup Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[1] is { DType: DType.I4 } or { Quant.IsPerAxis: true } ? 4 : 1);

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.Require(0, DType.I32);
        Shape index = operands.RequireRank(0, 1).Shape;
        TensorType table = operands.Require(1, DType.F32, DType.I8, DType.I4);
        if (table.Shape is { HasRank: true, Rank: 0 })
        {
            throw new OpRuleException("a table has rows") { Found = "a scalar", Expected = "one dimension at least" };
        }

        bool copies = table.DType is DType.F32
            || (table.DType is DType.I8 && operands.Declared is [{ DType: DType.I8 }, ..]);
        return [new(
            copies ? table.DType : DType.F32,
            table.Shape.HasRank ? table.Shape.With(0, index.HasRank ? index[0] : -1) : Shape.Unranked)];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.AsIs, OperandRule.Activation], [OperandRule.SameAsInput(1)]) { Activations = KernelTypes.I8, Hybrid = true };

    public void Differentiate(GradientBuilder g)
    {
        Value indices = g.Reshape(g.Input(0), Shape.Of([g.Input(0).Type.Shape[0], 1]));
        g.Give(1, g.Add(new ScatterNd(), indices, g.Gradient(), g.Ints(g.Input(1).Type.Shape.Dims.AsSpan())));
    }

    public Kernel Prepare(KernelContext context)
    {
        TensorType table = context.Input(1);
        TensorType y = context.Output(0);
        int rows = table.Shape[0];
        if (table.DType == y.DType)
        {
            return table.DType is DType.F32 || Equals(table.Quant, y.Quant)
                ? () => Copy(context, rows)
                : throw new OpRuleException("a lookup copies integers, but table and result mean different values by them")
                {
                    Found = $"{table.Quant} and {y.Quant}",
                    Expected = "equal scale and zero point",
                };
        }

        QuantParams quant = table.Quant ?? throw new OpRuleException("an integer table carries no scale") { Found = table.ToString() };
        if (quant.ZeroPoints.Any(z => z != 0)
            || (quant.IsPerAxis && (quant.Axis != 0 || quant.Scales.Length != rows)))
        {
            throw new OpRuleException("an integer table must have zero point 0 and one scale, or one for each row")
            {
                Found = quant.ToString(),
            };
        }

        float[] scales = [.. quant.Scales];
        return table.DType is DType.I8
            ? () => Dequantize(context, rows, scales)
            : () => DequantizePacked(context, rows, scales);
    }

    private static void Copy(KernelContext context, int rows)
    {
        ReadOnlySpan<int> index = context.In<int>(0);
        ReadOnlySpan<byte> table = context.InputBytes(1);
        Span<byte> y = context.OutputBytes(0);
        int size = rows == 0 ? 0 : table.Length / rows;
        for (int i = 0; i < index.Length; i++)
        {
            table.Slice(Row(index[i], rows) * size, size).CopyTo(y.Slice(i * size, size));
        }
    }

    private static void Dequantize(KernelContext context, int rows, float[] scales)
    {
        ReadOnlySpan<int> index = context.In<int>(0);
        ReadOnlySpan<sbyte> table = context.In<sbyte>(1);
        Span<float> y = context.Out<float>(0);
        int size = rows == 0 ? 0 : table.Length / rows;
        for (int i = 0; i < index.Length; i++)
        {
            int row = Row(index[i], rows);
            float scale = scales.Length == 1 ? scales[0] : scales[row];
            ReadOnlySpan<sbyte> values = table.Slice(row * size, size);
            Span<float> target = y.Slice(i * size, size);
            for (int k = 0; k < values.Length; k++)
            {
                target[k] = values[k] * scale;
            }
        }
    }

    private static void DequantizePacked(KernelContext context, int rows, float[] scales)
    {
        ReadOnlySpan<int> index = context.In<int>(0);
        ReadOnlySpan<sbyte> table = context.In<sbyte>(1);
        Span<float> y = context.Out<float>(0);
        int size = index.Length == 0 ? 0 : y.Length / index.Length;
        for (int i = 0; i < index.Length; i++)
        {
            int row = Row(index[i], rows);
            float scale = scales.Length == 1 ? scales[0] : scales[row];
            for (int k = 0; k < size; k++)
            {
                long element = ((long)row * size) + k;
                int pair = table[(int)(element >> 1)];
                int value = (element & 1) == 0 ? (sbyte)(pair << 4) >> 4 : pair >> 4;
                y[(i * size) + k] = value * scale;
            }
        }
    }

    private static int Row(int index, int rows) => (uint)index < (uint)rows
        ? index
        : throw new OpRuleException("a lookup asks for a row that the table does not have")
        {
            Found = $"{index}",
            Expected = $"0 to {rows - 1}",
        };
}

using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Matrix product over broadcast batch dimensions.</summary>
/// <param name="AdjX">The last two dimensions of x are swapped first.</param>
/// <param name="AdjY">The last two dimensions of y are swapped first.</param>
/// <param name="AsymmetricInputs">Option of hybrid models; kept.</param>
/// <remarks>
/// <para>Shape: <c>x [.., M, K], y [.., K, N] -> z [.., M, N]</c>, rank 2 to 8; batch dimensions broadcast.</para>
/// <para>Types: f32; i8 and i16 (zero points 0), both operands alike. Source: TFLite builtin 126, reference kernel
/// <c>reference/batch_matmul.h</c>.</para>
/// </remarks>
public sealed record BatchMatMul(bool AdjX, bool AdjY, bool AsymmetricInputs = false)
    : IOp<BatchMatMul>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<BatchMatMul>
{
    public static OpSchema Declaration { get; } = new("batch_matmul", ["x", "y"], ["z"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.BatchMatmul;

    public static int MaximumVersion => 4;

    public static BatchMatMul Parse(AttributeReader attributes) =>
        new(attributes.Bool("adj_x"), attributes.Bool("adj_y"), attributes.Bool("asymmetric_inputs"));

    public static BatchMatMul Read(TfLiteSource source)
    {
        BatchMatMulOptions options = source.Options<BatchMatMulOptions>();
        return new(options.AdjX, options.AdjY, options.AsymmetricQuantizeInputs);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new BatchMatMulOptions { AdjX = AdjX, AdjY = AdjY, AsymmetricQuantizeInputs = AsymmetricInputs });

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("adj_x", AdjX).Add("adj_y", AdjY).Add("asymmetric_inputs", AsymmetricInputs);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32, DType.I8, DType.I16);
        TensorType y = operands.Require(1, x.DType);
        if (!x.Shape.HasRank || !y.Shape.HasRank)
        {
            return [new(x.DType, Shape.Unranked)];
        }

        int rank = Math.Max(x.Shape.Rank, y.Shape.Rank);
        if (Math.Min(x.Shape.Rank, y.Shape.Rank) < 2 || rank > BroadcastPlan.MaximumRank)
        {
            throw new OpRuleException("a matrix product needs matrices") { Found = $"{x.Shape} and {y.Shape}" };
        }

        (int m, int kx) = AdjX ? (x.Shape[-1], x.Shape[-2]) : (x.Shape[-2], x.Shape[-1]);
        (int ky, int n) = AdjY ? (y.Shape[-1], y.Shape[-2]) : (y.Shape[-2], y.Shape[-1]);
        if (kx >= 0 && ky >= 0 && kx != ky)
        {
            throw new OpRuleException("the inner dimensions of a matrix product differ") { Found = $"{x.Shape} and {y.Shape}" };
        }

        int[] shape = new int[rank];
        (shape[rank - 2], shape[rank - 1]) = (m, n);
        for (int axis = 3; axis <= rank; axis++)
        {
            int a = axis <= x.Shape.Rank ? x.Shape[-axis] : 1;
            int b = axis <= y.Shape.Rank ? y.Shape[-axis] : 1;
            shape[rank - axis] = a == 1 ? b : b == 1 ? a : a < 0 ? b : b < 0 || a == b ? a
                : throw new OpRuleException("batch dimensions do not broadcast") { Found = $"{x.Shape} and {y.Shape}" };
        }

        return [new(x.DType, Shape.Create(shape))];
    }

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation, OperandRule.Activation], [OperandRule.Activation]);

    /// <summary><c>dx = dz y'</c>, <c>dy = x' dz</c>, transposed where the operand was, summed over broadcast batches.</summary>
    public void Differentiate(GradientBuilder g)
    {
        (Value x, Value y, Value dz) = (g.Input(0), g.Input(1), g.Gradient());
        if (g.Wants(0))
        {
            Value dx = AdjX
                ? g.Add(new BatchMatMul(AdjX: AdjY, AdjY: true), y, dz)
                : g.Add(new BatchMatMul(AdjX: false, AdjY: !AdjY), dz, y);
            g.Give(0, g.SumTo(dx, x.Type.Shape));
        }

        if (g.Wants(1))
        {
            Value dy = AdjY
                ? g.Add(new BatchMatMul(AdjX: true, AdjY: AdjX), dz, x)
                : g.Add(new BatchMatMul(AdjX: !AdjX, AdjY: false), x, dz);
            g.Give(1, g.SumTo(dy, y.Type.Shape));
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        (TensorType x, TensorType y, TensorType z) = (context.Input(0), context.Input(1), context.Output(0));
        if (x.DType is DType.F32)
        {
            return PrepareFloat(context);
        }

        Product product = new(x.Shape, y.Shape, z.Shape, AdjX, AdjY);
        Requantizer stage = Requantizer.ForFullyConnected(
            RoundingProfile.Tflm, x.Scale, [y.Scale], z.Scale, z.ZeroPoint, x.DType is DType.I8 ? ActivationRange.Int8 : ActivationRange.Int16);
        (int xZero, int yZero) = (x.ZeroPoint, y.ZeroPoint);
        if (x.DType is DType.I8)
        {
            Scratch narrow = context.Reserve(z.ElementCount * sizeof(int));
            return () =>
            {
                Span<sbyte> result = context.Out<sbyte>(0);
                Span<int> sums = narrow.Span<int>()[..result.Length];
                product.Run(context.In<sbyte>(0), xZero, context.In<sbyte>(1), yZero, sums);
                stage.Apply(sums, result);
            };
        }

        Scratch wide = context.Reserve(z.ElementCount * sizeof(long));
        return () =>
        {
            Span<short> result = context.Out<short>(0);
            Span<long> sums = wide.Span<long>()[..result.Length];
            product.Run(context.In<short>(0), xZero, context.In<short>(1), yZero, sums);
            stage.Apply(sums, result);
        };
    }

    private Kernel PrepareFloat(KernelContext context)
    {
        (Shape x, Shape y, Shape z) = (context.Input(0).Shape, context.Input(1).Shape, context.Output(0).Shape);
        int k = AdjX ? x[-2] : x[-1];
        if (z.ElementCount == 0 || k == 0)
        {
            return () => context.Out<float>(0).Clear();
        }

        List<(int X, int Y)> batches = [];
        foreach (BroadcastRun run in BroadcastPlan.Create(x.Dims.AsSpan()[..^2], y.Dims.AsSpan()[..^2]))
        {
            for (int i = 0; i < run.Length; i++)
            {
                batches.Add((run.First + (i * run.FirstStep), run.Second + (i * run.SecondStep)));
            }
        }

        PreparedProducts products = new([.. batches], z[-2], k, z[-1], AdjX, AdjY);
        Scratch scratch = context.Reserve(products.ScratchBytes, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
            products.RunChunk(chunk, context.In<float>(0), context.In<float>(1), context.Out<float>(0), scratch.Bytes(worker));
        if (context.Constant(1) is { } constant)
        {
            products.Load(constant.Span<float>());
            return () => context.Workers.Run(products.ChunkCount, body);
        }

        return () =>
        {
            products.Load(context.In<float>(1));
            context.Workers.Run(products.ChunkCount, body);
        };
    }

    /// <summary>The integer loops, rows of the result being sums of rows of y.</summary>
    private sealed class Product
    {
        private readonly BroadcastPlan _batches;
        private readonly int _m;
        private readonly int _k;
        private readonly int _n;
        private readonly bool _adjX;
        private readonly bool _adjY;

        public Product(Shape x, Shape y, Shape z, bool adjX, bool adjY)
        {
            _batches = BroadcastPlan.Create(x.Dims.AsSpan()[..^2], y.Dims.AsSpan()[..^2]);
            (_m, _n) = (z[-2], z[-1]);
            _k = adjX ? x[-2] : x[-1];
            (_adjX, _adjY) = (adjX, adjY);
        }

        public void Run<T, TSum>(ReadOnlySpan<T> x, TSum xZero, ReadOnlySpan<T> y, TSum yZero, Span<TSum> z)
            where T : unmanaged, IBinaryInteger<T>
            where TSum : unmanaged, IBinaryInteger<TSum>
        {
            foreach (BroadcastRun run in _batches)
            {
                for (int i = 0; i < run.Length; i++)
                {
                    Matrix(
                        x.Slice((run.First + (i * run.FirstStep)) * _m * _k, _m * _k),
                        xZero,
                        y.Slice((run.Second + (i * run.SecondStep)) * _k * _n, _k * _n),
                        yZero,
                        z.Slice((run.Output + i) * _m * _n, _m * _n));
                }
            }
        }

        private void Matrix<T, TSum>(ReadOnlySpan<T> x, TSum xZero, ReadOnlySpan<T> y, TSum yZero, Span<TSum> z)
            where T : unmanaged, IBinaryInteger<T>
            where TSum : unmanaged, IBinaryInteger<TSum>
        {
            z.Clear();
            for (int m = 0; m < _m; m++)
            {
                Span<TSum> row = z.Slice(m * _n, _n);
                for (int k = 0; k < _k; k++)
                {
                    TSum a = TSum.CreateTruncating(_adjX ? x[(k * _m) + m] : x[(m * _k) + k]) - xZero;
                    for (int n = 0; n < row.Length; n++)
                    {
                        row[n] += a * (TSum.CreateTruncating(_adjY ? y[(n * _k) + k] : y[(k * _n) + n]) - yZero);
                    }
                }
            }
        }
    }
}

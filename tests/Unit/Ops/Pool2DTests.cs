using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class Pool2DTests
{
    private const int Seeds = 120;

    [Fact]
    public void Float_windows_are_folded_without_their_padding()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Pool pool = new(seed);
            float[] x = ElementModel.Fill(pool.X, () => (pool.Random.NextSingle() * 4) - 2);
            (float low, float high) = pool.Activation switch
            {
                FusedActivation.Relu => (0, float.MaxValue),
                FusedActivation.ReluN1To1 => (-1, 1),
                _ => (float.MinValue, float.MaxValue),
            };
            float Limit(float v) => Math.Clamp(v, low, high);

            Assert.Equal(pool.Fold(x, taps => Limit(taps.Max())), pool.Run<float>(pool.Max, DType.F32, x));
            Assert.Equal(pool.Fold(x, taps => Limit(taps.Aggregate(0f, (s, v) => s + v) / taps.Length)), pool.Run<float>(pool.Mean, DType.F32, x));
            float[] norms = pool.Run<float>(pool.Norm, DType.F32, x);
            float[] expected = pool.Fold(x, taps => Limit((float)Math.Sqrt(taps.Average(v => (double)v * v))));
            Assert.All(norms.Zip(expected), p => Assert.Equal(p.Second, p.First, 1e-5f));
        }
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I16)]
    public void Integer_windows_are_folded_on_raw_values(DType type)
    {
        (int low, int high) = type switch { DType.I8 => (-128, 127), DType.U8 => (0, 255), _ => (-32768, 32767) };
        for (int seed = 0; seed < Seeds; seed++)
        {
            Pool pool = new(seed);
            QuantParams quant = ElementModel.Quant(pool.Random, type);
            int[] x = ElementModel.Fill(pool.X, () => pool.Random.Next(low, high + 1));
            int floor = pool.Activation switch { FusedActivation.Relu => Raw(0), FusedActivation.ReluN1To1 => Raw(-1), _ => low };
            int ceiling = pool.Activation is FusedActivation.ReluN1To1 ? Raw(1) : high;

            Assert.Equal(pool.Fold(x, taps => Limit(taps.Max())), Run(pool.Max));
            Assert.Equal(
                pool.Fold(x, taps => Limit((int)Math.Round((decimal)taps.Sum() / taps.Length, MidpointRounding.AwayFromZero))), Run(pool.Mean));

            int Limit(int v) => Math.Min(Math.Max(v, Math.Max(low, floor)), Math.Min(high, ceiling));
            int Raw(float bound) => (int)quant.ZeroPoint + (int)MathF.Round(bound / quant.Scale, MidpointRounding.AwayFromZero);
            int[] Run(IOp op) => type switch
            {
                DType.I8 => [.. pool.Run<sbyte>(op, type, [.. x.Select(v => (sbyte)v)], quant).Select(v => (int)v)],
                DType.U8 => [.. pool.Run<byte>(op, type, [.. x.Select(v => (byte)v)], quant).Select(v => (int)v)],
                _ => [.. pool.Run<short>(op, type, [.. x.Select(v => (short)v)], quant).Select(v => (int)v)],
            };
        }
    }

    [Fact]
    public void Refuses_windows_and_quantizations_without_a_kernel()
    {
        static Shape Infer(IOp op, Shape x) => op.InferTypes(new(new TensorType(DType.F32, x)))[0].Shape;

        Assert.Throws<OpRuleException>(() => Infer(new MaxPool2D(0, 1, 1, 1, PaddingMode.Valid), [1, 2, 2, 1]));
        Assert.Throws<OpRuleException>(() => Infer(new MaxPool2D(1, 1, 0, 1, PaddingMode.Same), [1, 2, 2, 1]));
        Assert.Throws<OpRuleException>(() => Infer(new AveragePool2D(1, -1, 1, 1, PaddingMode.Same), [1, 2, 2, 1]));
        Assert.Throws<OpRuleException>(() => Infer(new AveragePool2D(1, 1, 1, 1, PaddingMode.Same), [2, 2, 1]));
        Assert.Equal(Shape.Of([-1, 1, -1, 3]), Infer(new L2Pool2D(2, 2, 2, 2, PaddingMode.Same), [-1, 2, -1, 3]));
        Assert.Throws<DiagnosticException>(() => new OpCase(new MaxPool2D(1, 1, 1, 1, PaddingMode.Same))
            .Input<sbyte>(new QuantParams(0.5f, 0).With(DType.I8, [1, 1, 1, 1]), 1).OutputQuant(0.25f, 0).Run<sbyte>());
    }

    [Theory]
    [InlineData(DType.F32, 1)]
    [InlineData(DType.U8, 1)]
    [InlineData(DType.I8, 2)]
    [InlineData(DType.I16, 3)]
    public void Has_the_version_of_the_table(DType type, int version)
    {
        Pool pool = new(5);
        Assert.Equal(version, new OpCase(pool.Max).Input<byte>(type, [1, 1, 1, 1]).Version());
        Assert.Equal(version, new OpCase(pool.Mean).Input<byte>(type, [1, 1, 1, 1]).Version());
        Assert.Equal(1, new OpCase(pool.Norm).Input<byte>(type, [1, 1, 1, 1]).Version());
        Assert.All(new[] { pool.Max, pool.Mean, pool.Norm }, op => Assert.Equal(op, OpCase.Reparse(op)));
    }

    /// <summary>A random image with a random window.</summary>
    private sealed class Pool
    {
        private readonly (int H, int W) _filter;
        private readonly (int H, int W) _stride;
        private readonly PaddingMode _padding;

        public Pool(int seed)
        {
            Random = new(seed);
            X = [Random.Next(1, 3), Random.Next(1, 9), Random.Next(1, 9), Random.Next(1, 20)];
            _padding = Random.Next(2) == 0 ? PaddingMode.Same : PaddingMode.Valid;
            _filter = (Random.Next(1, _padding is PaddingMode.Same ? 5 : X[1] + 1), Random.Next(1, _padding is PaddingMode.Same ? 5 : X[2] + 1));
            _stride = (Random.Next(1, 4), Random.Next(1, 4));
            Activation = Random.GetItems([FusedActivation.None, FusedActivation.None, FusedActivation.Relu, FusedActivation.ReluN1To1], 1)[0];
        }

        public Random Random { get; }

        public Shape X { get; }

        public FusedActivation Activation { get; }

        public IOp Max => new MaxPool2D(_filter.H, _filter.W, _stride.H, _stride.W, _padding, Activation);

        public IOp Mean => new AveragePool2D(_filter.H, _filter.W, _stride.H, _stride.W, _padding, Activation);

        public IOp Norm => new L2Pool2D(_filter.H, _filter.W, _stride.H, _stride.W, _padding, Activation);

        public T[] Fold<T>(T[] x, Func<T[], T> fold)
        {
            List<T> results = [];
            (int height, int top) = Axis(X[1], _filter.H, _stride.H);
            (int width, int left) = Axis(X[2], _filter.W, _stride.W);
            for (int n = 0; n < X[0]; n++)
            {
                for (int h = 0; h < height; h++)
                {
                    for (int w = 0; w < width; w++)
                    {
                        for (int c = 0; c < X[3]; c++)
                        {
                            List<T> taps = [];
                            for (int kh = 0; kh < _filter.H; kh++)
                            {
                                for (int kw = 0; kw < _filter.W; kw++)
                                {
                                    (int row, int column) = ((h * _stride.H) - top + kh, (w * _stride.W) - left + kw);
                                    if (row >= 0 && row < X[1] && column >= 0 && column < X[2])
                                    {
                                        taps.Add(x[(((((n * X[1]) + row) * X[2]) + column) * X[3]) + c]);
                                    }
                                }
                            }

                            results.Add(fold([.. taps]));
                        }
                    }
                }
            }

            return [.. results];
        }

        public T[] Run<T>(IOp op, DType type, T[] x, QuantParams? quant = null)
            where T : unmanaged
        {
            OpCase run = new OpCase(op).Input<T>(new TensorType(type, X, quant), x);
            return (quant is null ? run : run.OutputQuant(quant.Scale, quant.ZeroPoint)).Run<T>();
        }

        private (int Size, int Before) Axis(int input, int filter, int stride)
        {
            int size = _padding is PaddingMode.Same ? (input + stride - 1) / stride : ((input - filter) / stride) + 1;
            return (size, Math.Max(0, ((size - 1) * stride) + filter - input) / 2);
        }
    }
}

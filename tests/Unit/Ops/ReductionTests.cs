using System.Numerics;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ReductionTests
{
    private const int Seeds = 60;

    [Fact]
    public void Floats_are_folded_in_their_order()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Case c = new(seed);
            float[] x = ElementModel.Floats(c.Random, c.Shape);
            Equal(c.Fold(x, g => g.Aggregate(1f, (p, v) => p * v)), c.Run<float>(new ReduceProd(c.Keep), DType.F32, x), 1e-5);
            Equal(c.Fold(x, g => g.Aggregate(float.NegativeInfinity, (m, v) => v > m ? v : m)), c.Run<float>(new ReduceMax(c.Keep), DType.F32, x), 0);
            Equal(c.Fold(x, g => g.Aggregate(float.PositiveInfinity, (m, v) => v < m ? v : m)), c.Run<float>(new ReduceMin(c.Keep), DType.F32, x), 0);

            float[] tame = [.. x.Select(v => float.IsFinite(v) && MathF.Abs(v) < 1e3f ? v : 1)];
            double scale = 1e-6 * tame.Sum(MathF.Abs);
            Near(c.Fold(tame, g => g.Sum(v => (double)v)), c.Run<float>(new Sum(c.Keep), DType.F32, tame), scale);
            Near(c.Fold(tame, g => g.Average(v => (double)v)), c.Run<float>(new Mean(c.Keep), DType.F32, tame), scale);
        }
    }

    [Fact]
    public void Integers_wrap_and_means_truncate()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Case c = new(seed);
            int[] x = ElementModel.Integers<int>(c.Random, c.Shape);
            Assert.Equal(c.Fold(x, g => g.Aggregate(0, (s, v) => unchecked(s + v))), c.Run<int>(new Sum(c.Keep), DType.I32, x));
            Assert.Equal(c.Fold(x, g => g.Aggregate(1, (s, v) => unchecked(s * v))), c.Run<int>(new ReduceProd(c.Keep), DType.I32, x));
            Assert.Equal(c.Fold(x, g => (int)(g.Sum(v => (long)v) / g.Length)), c.Run<int>(new Mean(c.Keep), DType.I32, x));
            Assert.Equal(c.Fold(x, g => g.Max()), c.Run<int>(new ReduceMax(c.Keep), DType.I32, x));
            Assert.Equal(c.Fold(x, g => g.Min()), c.Run<int>(new ReduceMin(c.Keep), DType.I32, x));
            long[] wide = [.. x.Select(v => (long)v << 8)];
            Assert.Equal(c.Fold(wide, g => g.Sum()), c.Run<long>(new Sum(c.Keep), DType.I64, wide));
            byte[] truth = [.. x.Select(v => (byte)(v & 3))];
            Assert.Equal(c.Fold(truth, g => (byte)(g.Any(v => v != 0) ? 1 : 0)), c.Run<byte>(new ReduceAny(c.Keep), DType.Bool, truth));
            Assert.Equal(c.Fold(truth, g => (byte)(g.All(v => v != 0) ? 1 : 0)), c.Run<byte>(new ReduceAll(c.Keep), DType.Bool, truth));
        }
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I16)]
    public void Quantized_sums_and_means_follow_the_reference(DType type)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Case c = new(seed);
            (QuantParams x, QuantParams y) = (ElementModel.Quant(c.Random, type), ElementModel.Quant(c.Random, type));
            int low = type switch { DType.I8 => -128, DType.U8 => 0, _ => -32768 };
            int range = type is DType.I16 ? 65536 : 256;
            int[] raw = ElementModel.Fill(c.Shape, () => c.Random.Next(low, low + range));
            FixedPoint factor = ExactArithmetic.Normalize((double)x.Scale / y.Scale);

            int[] sums = c.Fold(raw, g => Result(factor, g.Sum(), g.Length));
            int[] means = c.Fold(raw, g =>
            {
                int n = g.Length;
                int k = Math.Min((int)Math.Floor(Math.Log2(n)), Math.Min(32, 31 + factor.Exponent));
                return Result(new((int)(((BigInteger)factor.Mantissa << k) / n), factor.Exponent - k), g.Sum(), n);
            });
            Assert.Equal(sums, RunRaw(c, new Sum(c.Keep), type, raw, x, y));
            Assert.Equal(means, RunRaw(c, new Mean(c.Keep), type, raw, x, y));
            Assert.Equal(c.Fold(raw, g => g.Max()), RunRaw(c, new ReduceMax(c.Keep), type, raw, x, x));
            Assert.Equal(c.Fold(raw, g => g.Min()), RunRaw(c, new ReduceMin(c.Keep), type, raw, x, x));

            int Result(FixedPoint by, int sum, int n) => (int)Math.Clamp(
                ExactArithmetic.Scale(by, (int)(sum - (x.ZeroPoint * n))) + y.ZeroPoint, low, low + range - 1);
        }
    }

    [Fact]
    public void Quantized_products_stay_near_the_real_ones()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            int n = random.Next(1, 5);
            QuantParams x = new(0.02f, random.Next(-20, 20));
            QuantParams y = new(0.05f, random.Next(-20, 20));
            sbyte[] raw = ElementModel.Fill(Shape.Of([n]), () => (sbyte)random.Next(-128, 128));

            sbyte actual = new OpCase(new ReduceProd(false))
                .Input<sbyte>(x.With(DType.I8, [n]), raw).Constant(DType.I32, [1], 0).OutputQuant(0.05f, y.ZeroPoint).Run<sbyte>()[0];

            double real = raw.Aggregate(1.0, (p, v) => p * (v - x.ZeroPoint) * x.Scale);
            Assert.InRange(actual, Math.Clamp((real / y.Scale) + y.ZeroPoint, -128, 127) - 3, Math.Clamp((real / y.Scale) + y.ZeroPoint, -128, 127) + 3);
        }
    }

    [Fact]
    public void The_first_extreme_element_wins()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            Shape shape = MovedElements.RandomShape(random, random.Next(1, 4));
            int axis = random.Next(-shape.Rank, shape.Rank);
            int[] x = ElementModel.Fill(shape, () => random.Next(-3, 4));
            Case c = new(random, shape, [axis], keep: false);
            int[] first = c.Fold(x, g => Array.IndexOf(g, g.Max()));
            int[] last = c.Fold(x, g => Array.IndexOf(g, g.Min()));

            Assert.Equal(first, Arg<int, int>(new ArgMax(DType.I32), DType.I32, x));
            Assert.Equal(last.Select(i => (long)i), Arg<int, long>(new ArgMin(DType.I64), DType.I32, x));
            Assert.Equal(first, Arg<float, int>(new ArgMax(DType.I32), DType.F32, [.. x.Select(v => (float)v)]));
            Assert.Equal(last, Arg<sbyte, int>(new ArgMin(DType.I32), DType.I8, [.. x.Select(v => (sbyte)v)]));
            Assert.Equal(first, Arg<byte, int>(new ArgMax(DType.I32), DType.U8, [.. x.Select(v => (byte)(v + 3))]));

            TIndex[] Arg<T, TIndex>(IOp op, DType type, T[] values)
                where T : unmanaged
                where TIndex : unmanaged =>
                new OpCase(op).Input<T>(type, shape, values).Constant(DType.I32, Shape.Scalar, axis).Run<TIndex>();
        }
    }

    [Fact]
    public void The_largest_elements_come_in_falling_order_with_their_places()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            Shape shape = MovedElements.RandomShape(random, random.Next(1, 4), most: 9);
            int depth = shape[-1];
            int k = random.Next(0, depth + 1);
            float[] x = ElementModel.Fill(shape, () => (float)random.Next(-4, 5));
            List<float> values = [];
            List<int> places = [];
            for (int start = 0; start < x.Length; start += depth)
            {
                foreach (int place in Enumerable.Range(0, depth).OrderByDescending(i => x[start + i]).Take(k))
                {
                    values.Add(x[start + place]);
                    places.Add(place);
                }
            }

            OpCase op = new OpCase(new TopkV2()).Input<float>(DType.F32, shape, x).Constant(DType.I32, Shape.Scalar, k);
            Assert.Equal(values, op.Run<float>(0));
            Assert.Equal(places, op.Run<int>(1));
            sbyte[] raw = [.. x.Select(v => (sbyte)v)];
            QuantParams quant = new(0.5f, 2);
            OpCase bytes = new OpCase(new TopkV2()).Input<sbyte>(quant.With(DType.I8, shape), raw).Constant(DType.I32, Shape.Scalar, k)
                .OutputQuant(0.5f, 2);
            Assert.Equal(values.Select(v => (sbyte)v), bytes.Run<sbyte>(0));
        }
    }

    [Fact]
    public void Refuses_axes_and_counts_that_do_not_exist()
    {
        static OpCase Of(IOp op, params int[] axes) => new OpCase(op).Input<float>(DType.F32, [2, 3]).Constant<int>(DType.I32, [axes.Length], axes);
        static OpCase Scalar(IOp op, int value) => new OpCase(op).Input<float>(DType.F32, [2, 3]).Constant(DType.I32, Shape.Scalar, value);

        foreach (int axis in new[] { 2, -3, int.MinValue, int.MaxValue })
        {
            Assert.Throws<OpRuleException>(() => Of(new Mean(false), axis).Infer());
            Assert.Throws<OpRuleException>(() => Scalar(new ArgMax(DType.I32), axis).Infer());
        }

        Assert.Throws<OpRuleException>(() => Scalar(new TopkV2(), 4).Infer());
        Assert.Throws<OpRuleException>(() => Scalar(new TopkV2(), -1).Infer());
        Assert.Throws<OpRuleException>(() => Scalar(new ArgMax(DType.F32), 0).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new ArgMax(DType.I32)).Input<float>(DType.F32, [0]).Constant(DType.I32, Shape.Scalar, 0).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new ReduceAny(false)).Input<float>(DType.F32, [2]).Constant(DType.I32, [1], 0).Infer());
        Assert.Equal(Shape.Of([1, 3]), Of(new Sum(true), 0, -2).Infer()[0].Shape);
        Assert.Equal(Shape.Of([2, 3]), Of(new Sum(true)).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([-1]), new OpCase(new Sum(false)).Input<float>(DType.F32, [-1, 3]).Constant(DType.I32, [1], 1).Infer()[0].Shape);
        QuantParams q = new(0.5f, 0);
        Assert.Throws<DiagnosticException>(() => new OpCase(new ReduceMax(false))
            .Input<sbyte>(q.With(DType.I8, [2]), 1, 2).Constant(DType.I32, [1], 0).OutputQuant(0.25f, 0).Run<sbyte>());
    }

    [Fact]
    public void Computed_axes_are_followed_at_run_time() => Assert.Equal(
        [4f, 6],
        new OpCase(new Sum(false)).Input<float>(DType.F32, [2, 2], 1, 2, 3, 4).Input(DType.I32, [1], 0).Run<float>());

    [Theory]
    [InlineData(DType.F32, 1, 1, 1, 1, 1, 1)]
    [InlineData(DType.I8, 2, 2, 2, 2, 2, 2)]
    [InlineData(DType.I16, 3, 1, 3, 2, 1, 3)]
    public void Has_the_version_of_the_table(DType type, int mean, int sum, int maximum, int product, int arg, int top)
    {
        foreach ((IOp op, int version) in new (IOp, int)[]
        {
            (new Mean(true), mean), (new Sum(true), sum), (new ReduceMax(true), maximum), (new ReduceMin(true), maximum),
            (new ReduceProd(true), product), (new ArgMax(DType.I32), arg), (new ArgMin(DType.I32), arg), (new TopkV2(), top),
        })
        {
            Assert.Equal(version, new OpCase(op).Input<byte>(type, [2]).Constant(DType.I32, Shape.Scalar, 0).Version());
            Assert.Equal(op, OpCase.Reparse(op));
        }
    }

    private static int[] RunRaw(Case c, IOp op, DType type, int[] raw, QuantParams x, QuantParams y)
    {
        return type switch { DType.I8 => Of<sbyte>(), DType.U8 => Of<byte>(), _ => Of<short>() };

        int[] Of<T>()
            where T : unmanaged, IBinaryInteger<T> =>
            [.. c.Run<T>(op, type, [.. raw.Select(T.CreateChecked)], x, y).Select(int.CreateChecked)];
    }

    private static void Equal(float[] expected, float[] actual, double tolerance) => Near([.. expected.Select(v => (double)v)], actual, 0, tolerance);

    private static void Near(double[] expected, float[] actual, double absolute, double relative = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                expected[i].Equals((double)actual[i]) || Math.Abs(expected[i] - actual[i]) <= absolute + (relative * Math.Abs(expected[i])),
                $"element {i}: {actual[i]}, not {expected[i]}");
        }
    }

    /// <summary>A random shape with random axes, and the groups of elements that they make.</summary>
    private sealed class Case
    {
        private readonly int[] _axes;

        public Case(int seed)
        {
            Random = new(seed);
            Shape = MovedElements.RandomShape(Random, Random.Next(1, 5), most: 5);
            int rank = Shape.Rank;
            _axes = [.. Enumerable.Range(0, Random.Next(0, 4)).Select(_ => Random.Next(-rank, rank))];
            Keep = Random.Next(2) == 0;
        }

        public Case(Random random, Shape shape, int[] axes, bool keep) => (Random, Shape, _axes, Keep) = (random, shape, axes, keep);

        public Random Random { get; }

        public Shape Shape { get; }

        public bool Keep { get; }

        public TResult[] Fold<T, TResult>(T[] x, Func<T[], TResult> fold)
        {
            bool[] reduced = new bool[Shape.Rank];
            foreach (int axis in _axes)
            {
                reduced[axis < 0 ? axis + Shape.Rank : axis] = true;
            }

            SortedDictionary<int, List<T>> groups = [];
            for (int i = 0; i < x.Length; i++)
            {
                (int rest, int key, int stride) = (i, 0, 1);
                for (int d = Shape.Rank - 1; d >= 0; d--)
                {
                    if (!reduced[d])
                    {
                        key += rest % Shape[d] * stride;
                        stride *= Shape[d];
                    }

                    rest /= Shape[d];
                }

                groups.TryAdd(key, []);
                groups[key].Add(x[i]);
            }

            return [.. groups.Values.Select(g => fold([.. g]))];
        }

        public T[] Run<T>(IOp op, DType type, T[] x, QuantParams? input = null, QuantParams? output = null)
            where T : unmanaged
        {
            OpCase run = new OpCase(op).Input<T>(new TensorType(type, Shape, input), x).Constant<int>(DType.I32, [_axes.Length], _axes);
            return (output is null ? run : run.OutputQuant(output.Scale, output.ZeroPoint)).Run<T>();
        }
    }
}

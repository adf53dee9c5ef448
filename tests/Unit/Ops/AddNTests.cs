using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class AddNTests
{
    [Fact]
    public void Numbers_are_added_in_order()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            Shape shape = MovedElements.RandomShape(random, random.Next(0, 4));
            float[][] x = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => ElementModel.Floats(random, shape))];
            int[][] k = [.. x.Select(_ => ElementModel.Integers<int>(random, shape))];
            OpCase floats = new(new AddN());
            OpCase integers = new(new AddN());
            for (int i = 0; i < x.Length; i++)
            {
                floats.Input<float>(DType.F32, shape, x[i]);
                integers.Input<int>(DType.I32, shape, k[i]);
            }

            Assert.Equal(Enumerable.Range(0, x[0].Length).Select(i => x.Aggregate(0f, (sum, v) => sum + v[i])), floats.Run<float>());
            Assert.Equal(Enumerable.Range(0, x[0].Length).Select(i => k.Aggregate(0, (sum, v) => unchecked(sum + v[i]))), integers.Run<int>());
        }
    }

    [Fact]
    public void Integers_follow_the_reference_with_its_additional_zero_point()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            Shape shape = [random.Next(1, 30)];
            (QuantParams x, QuantParams y) = (ElementModel.Quant(random, DType.I8), ElementModel.Quant(random, DType.I8));
            sbyte[][] raw = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => ElementModel.Integers<sbyte>(random, shape))];
            OpCase op = new(new AddN());
            foreach (sbyte[] values in raw)
            {
                op.Input<sbyte>(x.With(DType.I8, shape), values);
            }

            sbyte[] actual = op.OutputQuant(y.Scale, y.ZeroPoint).Run<sbyte>();

            for (int i = 0; i < actual.Length; i++)
            {
                double twice = 2.0 * x.Scale;
                int sum = Scaled(0) + raw.Sum(v => Scaled(v[i]));
                int result = ExactArithmetic.Scale(ExactArithmetic.Normalize(twice / (1048576.0 * y.Scale)), sum);
                Assert.Equal(Math.Clamp(result + y.ZeroPoint, -128, 127), actual[i]);

                int Scaled(int value) => ExactArithmetic.Scale(ExactArithmetic.Normalize(x.Scale / twice), (int)(value - x.ZeroPoint) * 1048576);
            }
        }
    }

    [Fact]
    public void Refuses_operands_that_differ()
    {
        Assert.Throws<OpRuleException>(() => new OpCase(new AddN()).Input<float>(DType.F32, [2]).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new AddN()).Input<float>(DType.F32, [2]).Input<float>(DType.F32, [1]).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new AddN()).Input<float>(DType.F32, [2]).Input<float>(DType.F32, [1, 2]).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new AddN()).Input<float>(DType.F32, [2]).Input<int>(DType.I32, [2]).Infer());
        Assert.Equal(
            Shape.Of([2, 3]), new OpCase(new AddN()).Input<float>(DType.F32, [-1, 3]).Input<float>(DType.F32, [2, -1]).Infer()[0].Shape);
        Assert.Throws<DiagnosticException>(() => new OpCase(new AddN())
            .Input<sbyte>(new QuantParams(0.5f, 0).With(DType.I8, [1]), 1).Input<sbyte>(new QuantParams(0.5f, 1).With(DType.I8, [1]), 1)
            .OutputQuant(1, 0).Run<sbyte>());
    }
}

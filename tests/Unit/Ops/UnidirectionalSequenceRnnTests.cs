using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class UnidirectionalSequenceRnnTests
{
    [Fact]
    public void Each_step_reads_the_one_before()
    {
        using OpRun run = Case(new(TimeMajor: false, FusedActivation.None), [1, 3, 1]).Prepare();

        Assert.Equal([13f, 12 + 6.5f, 13 + 9.25f], run.Next<float>());
        Assert.Equal(13 + 11.125f, run.Next<float>()[0]);
    }

    [Theory]
    [InlineData(FusedActivation.Relu6, 6f)]
    [InlineData(FusedActivation.ReluN1To1, 1f)]
    [InlineData(FusedActivation.Relu, 13f)]
    public void Applies_the_activation(FusedActivation activation, float first) =>
        Assert.Equal(first, Case(new(TimeMajor: false, activation), [1, 3, 1]).Run<float>()[0]);

    [Fact]
    public void Batches_keep_their_own_state()
    {
        float[] y = new OpCase(new UnidirectionalSequenceRnn(TimeMajor: true, FusedActivation.None))
            .Input<float>(DType.F32, [2, 2, 1], 1, 100, 0, 0)
            .Constant<float>(DType.F32, [1, 1], 1)
            .Constant<float>(DType.F32, [1, 1], 0.5f)
            .Constant<float>(DType.F32, [1], 0)
            .Variable(new(DType.F32, [2, 1]))
            .Run<float>();

        Assert.Equal([1f, 100f, 0.5f, 50f], y);
    }

    [Fact]
    public void Refuses_operands_that_do_not_fit()
    {
        Assert.Throws<OpRuleException>(() => Case(new(TimeMajor: false, FusedActivation.None), [1, 3, 2]).Infer());
        Assert.Throws<OpRuleException>(() => Case(new(TimeMajor: false, FusedActivation.None), [3, 1]).Infer());
        Assert.Throws<OpRuleException>(() => Case(new(TimeMajor: false, (FusedActivation)9), [1, 3, 1]).Infer());
        Assert.Equal([-1, -1, 1], Case(new(TimeMajor: false, FusedActivation.None), [-1, -1, 1]).Infer()[0].Shape);
    }

    [Theory]
    [InlineData(DType.F32, false, 1)]
    [InlineData(DType.I8, false, 2)]
    [InlineData(DType.I8, true, 3)]
    public void Has_the_version_of_the_standard_converter(DType weights, bool asymmetric, int version) => Assert.Equal(
        version,
        new OpCase(new UnidirectionalSequenceRnn(TimeMajor: true, FusedActivation.Tanh, asymmetric))
            .Input<byte>(DType.F32, [1, 1, 1]).Input<byte>(weights, [1, 1]).Output(new(DType.F32, [1])).Version());

    [Fact]
    public void Attributes_survive_their_printed_form() => Assert.Equal(
        new UnidirectionalSequenceRnn(TimeMajor: true, FusedActivation.Tanh, AsymmetricQuantizeInputs: true),
        OpCase.Reparse(new UnidirectionalSequenceRnn(TimeMajor: true, FusedActivation.Tanh, AsymmetricQuantizeInputs: true)));

    private static OpCase Case(UnidirectionalSequenceRnn op, int[] x) => new OpCase(op)
        .Input<float>(DType.F32, Shape.Create(x), 3, 2, 3)
        .Constant<float>(DType.F32, [1, 1], 1)
        .Constant<float>(DType.F32, [1, 1], 0.5f)
        .Constant<float>(DType.F32, [1], 10)
        .Variable(new(DType.F32, [x[0], 1]));
}

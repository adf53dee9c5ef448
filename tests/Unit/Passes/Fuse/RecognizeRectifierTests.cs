using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Fuse;
using Xunit;

namespace Optc.Tests.Unit.Passes.Fuse;

public sealed class RecognizeRectifierTests
{
    private const double Tolerance = 1e-9;

    private static readonly RecognizeRectifier Rule = new();

    [Theory]
    [InlineData(0f, 6f, "relu6")]
    [InlineData(-1f, 1f, "relu_n1_to_1")]
    [InlineData(0f, 1f, "relu_0_to_1")]
    public void Recognizes_two_limits_in_either_order(float low, float high, string op)
    {
        foreach (bool maximumFirst in (bool[])[true, false])
        {
            PassModel model = new();
            Value x = model.Input("x", 3, 40);
            Value Limit(string name, Value of, bool maximum) => maximum
                ? model.Add(name, new Maximum(), of, PassModel.Floats("low", [], low))
                : model.Add(name, new Minimum(), PassModel.Floats("high", [1], high), of);
            Module module = model.Output(Limit("y", Limit("first", x, maximumFirst), !maximumFirst)).Build();

            Assert.Equal(op, PassModel.Ops(PassModel.Fires(Rule, module, "y", Tolerance)));
        }
    }

    [Fact]
    public void Recognizes_one_limit_and_a_limit_behind_a_rectifier()
    {
        PassModel model = new();
        Value relu = model.Add("relu", new Maximum(), PassModel.Floats("zero", [1, 1], 0), model.Input("x", 3, 40));
        Module module = model.Output(model.Add("y", new Minimum(), relu, PassModel.Floats("six", [], 6))).Build();

        Module first = PassModel.Fires(Rule, module, "relu", Tolerance);

        Assert.Equal("relu minimum", PassModel.Ops(first));
        Assert.Equal("relu6", PassModel.Ops(PassModel.Fires(Rule, first, "y", Tolerance)));
    }

    [Fact]
    public void Declines_other_limits()
    {
        string Reason(IOp op, Value limit)
        {
            PassModel model = new();
            return PassModel.Declines(Rule, model.Output(model.Add("y", op, model.Input("x", 2, 3), limit)).Build(), "y");
        }

        Assert.Equal("no rectifier has these limits", Reason(new Minimum(), PassModel.Floats("c", [], 6)));
        Assert.Equal("no rectifier has these limits", Reason(new Maximum(), PassModel.Floats("c", [], 0.5f)));
        Assert.Equal("it is no limit of a float by one constant number", Reason(new Maximum(), PassModel.Floats("c", [3], 0, 0, 1)));
        Assert.Equal("it is no limit of a float by one constant number", Reason(new Maximum(), PassModel.Floats("c", [1, 1, 1], 0)));
        Assert.Equal("it is no limit of a float by one constant number", Reason(new Maximum(), PassModel.Floats("c", [], float.NaN)));
    }

    [Fact]
    public void Declines_computed_limits_and_integers()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        QuantParams grid = new(0.1f, 0);
        Value q = model.Input("q", new TensorType(DType.I8, [4], grid));
        Value zero = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [0]), "zero", grid);
        Module module = model.Output(model.Add("a", new Maximum(), x, x), model.AddQuantized("b", new Maximum(), grid, q, zero)).Build();

        Assert.Equal("it is no limit of a float by one constant number", PassModel.Declines(Rule, module, "a"));
        Assert.Equal("it is no limit of a float by one constant number", PassModel.Declines(Rule, module, "b"));
    }
}

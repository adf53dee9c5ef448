using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Gradients;

/// <summary>Writes out a layer over a sequence step by step.</summary>
internal sealed class UnrolledSequence
{
    private readonly GraphBuilder _graph;
    private readonly Value _rows;
    private readonly Shape _shape;
    private readonly int _timeAxis;
    private readonly string _name;

    /// <param name="x"><c>[B, T, n]</c>, or <c>[T, B, n]</c> where time comes first; f32.</param>
    /// <exception cref="OpRuleException">There is no step, or x is no float of known shape.</exception>
    public UnrolledSequence(GraphBuilder graph, Value x, bool timeMajor, string name)
    {
        (_graph, _shape, _timeAxis, _name) = (graph, x.Type.Shape, timeMajor ? 0 : 1, name);
        if (x.Type.DType is not DType.F32 || !_shape.IsKnown || Steps == 0)
        {
            throw new OpRuleException("a layer is unrolled over at least one step of floats") { Found = x.Type.ToString() };
        }

        _rows = Reshape(x, Shape.Of([_shape[0] * _shape[1], _shape[2]]));
    }

    /// <summary>T, the length of the sequence.</summary>
    public int Steps => _shape[_timeAxis];

    public Value Apply(IOp op, params Value?[] operands) => _graph.Add(op, [.. operands], _name).Output;

    public Value Plus(Value a, Value b) => Apply(new Add(), a, b);

    public Value Times(Value a, Value b) => Apply(new Mul(), a, b);

    /// <param name="value"><c>[B, K]</c>.</param>
    /// <param name="weights"><c>[N, K]</c>.</param>
    /// <param name="bias"><c>[N]</c>, if any.</param>
    public Value Dense(Value value, Value weights, Value? bias) => bias is null
        ? Apply(new FullyConnected(), value, weights)
        : Apply(new FullyConnected(), value, weights, bias);

    /// <summary>The dense layer on every step of x at once: T values <c>[B, N]</c>.</summary>
    public IReadOnlyList<Value> Products(Value weights, Value? bias)
    {
        Value all = Reshape(Dense(_rows, weights, bias), Shape.Of([_shape[0], _shape[1], weights.Type.Shape[0]]));
        return _graph.Add(new Unpack(Steps, _timeAxis), [all], _name).Outputs;
    }

    /// <summary>Puts the results of all steps, <c>[B, N]</c> each, in the order of x.</summary>
    public Value Join(IReadOnlyList<Value> steps) => Apply(new Pack(Steps, _timeAxis), [.. steps]);

    /// <summary>Limits to <c>[-limit, limit]</c>; 0 is no limit.</summary>
    public Value Clip(Value value, float limit) => limit > 0
        ? Apply(new Minimum(), Apply(new Maximum(), value, Number(-limit)), Number(limit))
        : value;

    /// <exception cref="OpRuleException">The activation has no gradient.</exception>
    public Value Activate(FusedActivation activation, Value value) => activation switch
    {
        FusedActivation.None => value,
        FusedActivation.Relu => Apply(new Relu(), value),
        FusedActivation.Relu6 => Apply(new Relu6(), value),
        FusedActivation.ReluN1To1 => Apply(new ReluN1To1(), value),
        FusedActivation.Tanh => Apply(new Tanh(), value),
        _ => throw new OpRuleException("the activation of a layer has no gradient") { Found = $"{activation}" },
    };

    /// <summary>Brings every row to mean 0 and variance 1.</summary>
    /// <param name="value"><c>[B, N]</c>.</param>
    public Value Normalize(Value value, float epsilon)
    {
        Value axis = Constant(TensorData.FromInts([1], [1]));
        Value distance = Apply(new Sub(), value, Apply(new Mean(KeepDims: true), value, axis));
        Value variance = Apply(new Mean(KeepDims: true), Apply(new Square(), distance), axis);
        return Times(distance, Apply(new Rsqrt(), Plus(variance, Number(epsilon))));
    }

    public Value Number(float value) => Constant(TensorData.Scalar(value));

    private Value Reshape(Value value, Shape shape) => Apply(
        new Reshape(shape.Dims), value, Constant(TensorData.FromInts([shape.Rank], shape.Dims.AsSpan())));

    private Value Constant(TensorData data) => GraphBuilder.Constant(data, $"{_name}/constant");
}

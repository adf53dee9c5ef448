using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Passes;

/// <summary>Random float graphs on <c>[1, h, w, c]</c> that are full of what the rules look for, and of what only resembles it.</summary>
internal sealed class RandomGraph
{
    private readonly PassModel _model = new();
    private readonly Random _random;
    private readonly List<Value> _values = [];

    private RandomGraph(int seed) => _random = new(seed);

    /// <summary>The same graph for the same seed.</summary>
    public static Module Make(int seed) => new RandomGraph(seed).Make();

    private Module Make()
    {
        _values.Add(_model.Input("x", 1, 6, 5, 3));
        int layers = _random.Next(6, 16);
        for (int i = 0; i < layers; i++)
        {
            Value x = Pick();
            _values.Add(Layer($"layer{i}", x));
        }

        _model.Output(_model.Add("y", new Neg(), _values[^1]));
        if (_random.Next(2) == 0)
        {
            Value also = _values[_random.Next(1, _values.Count)];
            _model.Output(also);
        }

        return _model.Build();
    }

    /// <summary>Mostly the latest value, so that chains arise.</summary>
    private Value Pick() => _random.Next(4) > 0 ? _values[^1] : _values[_random.Next(_values.Count)];

    private Value Numbers(string name, params ReadOnlySpan<int> shape) => PassModel.Random(name, _random.Next(), shape);

    private FusedActivation Activation() => _random.Next(3) == 0 ? (FusedActivation)_random.Next(1, 4) : FusedActivation.None;

    private Value Layer(string name, Value x)
    {
        Shape shape = x.Type.Shape;
        (int height, int width, int depth) = (shape[1], shape[2], shape[3]);
        switch (_random.Next(27))
        {
            case 0 or 1 or 2:
                return Convolution(name, x, depth);
            case 3:
                return _model.Add(
                    name, new DepthwiseConv2D(1, 1, PaddingMode.Same, 1, Activation()), x, Numbers($"{name}/w", 1, 3, 3, depth), Numbers($"{name}/b", depth));
            case 4:
                return _model.Add(name, new FullyConnected(Activation(), KeepNumDims: true), x, Numbers($"{name}/w", 3, depth));
            case 5:
                return _model.Add(
                    name,
                    new TransposeConv(1, 1, PaddingMode.Same, Activation()),
                    PassModel.Ints($"{name}/s", 1, height, width, 2),
                    Numbers($"{name}/w", 2, 3, 3, depth),
                    x);
            case 6 or 7 or 8:
                return _model.Add(name, Sum(), [.. Operands(x, Constant($"{name}/c", shape))]);
            case 9:
                return _model.Add(name, new Mul(Activation()), x, PassModel.Floats($"{name}/k", [depth], [.. Enumerable.Repeat(1f, depth)]));
            case 10 or 11:
                return _model.Add(name, _random.Next(4) switch { 0 => new Relu(), 1 => new Relu6(), 2 => new ReluN1To1(), _ => new Relu0To1() }, x);
            case 12:
                int border = _random.Next(2);
                return Convolution($"{name}/conv", _model.Add(name, new Pad(), x, PassModel.Paddings($"{name}/p", 0, 0, border, border, border, border, 0, 0)), depth);
            case 13:
                return _model.Add(name, new Reshape([1, height, width, depth]), _model.Add($"{name}/flat", new Reshape([-1, depth]), x));
            case 14:
                Value turned = _model.Add($"{name}/turn", new Transpose(), x, PassModel.Ints($"{name}/p", 0, 2, 1, 3));
                return _model.Add(name, new Transpose(), turned, PassModel.Ints($"{name}/q", _random.Next(2) == 0 ? [0, 2, 1, 3] : [0, 1, 2, 3]));
            case 15:
                return _model.Add(name, new Slice(), x, PassModel.Ints($"{name}/b", 0, 0, 0, 0), PassModel.Ints($"{name}/s", 1, -1, width, depth));
            case 16:
                return _model.Add(
                    name,
                    new StridedSlice(0, 15, 0, 0, 0),
                    x,
                    PassModel.Ints($"{name}/b", 0, 0, 0, 0),
                    PassModel.Ints($"{name}/e", 1, 1, 1, 1),
                    PassModel.Ints($"{name}/s", 1, 1, 1, 1));
            case 17:
                return _model.Add(name, _random.Next(2) == 0 ? new Concatenation(3) : new Reshape([1, height, width, -1]), x);
            case 18:
                return _model.Add(name, new Tile(), x, PassModel.Ints($"{name}/m", 1, 1, 1, 1));
            case 19:
                return _model.Add(name, new ResizeNearestNeighbor(), x, PassModel.Ints($"{name}/s", height, width));
            case 20:
                Value constant = _model.Add($"{name}/c", new Mul(), Numbers($"{name}/a", depth), Numbers($"{name}/b", 1));
                return _model.Add(name, new Add(), x, constant);
            case 21:
                return _model.Add(name, new Add(), _model.Add($"{name}/a", new Tanh(), x), _model.Add($"{name}/b", new Tanh(), x));
            case 22:
                return _model.Add(name, new Squeeze([0]), _model.Add($"{name}/e", new ExpandDims(), x, PassModel.Ints($"{name}/axis", 0)));
            case 23:
                return _model.Add(name, new Div(Activation()), x, PassModel.Floats($"{name}/d", [depth], [.. Enumerable.Range(2, depth).Select(d => d * 0.7f)]));
            case 24:
                Value low = _model.Add($"{name}/low", new Maximum(), x, PassModel.Floats($"{name}/l", [], _random.Next(-1, 1)));
                return _model.Add(name, new Minimum(), low, PassModel.Floats($"{name}/h", [], _random.Next(2) == 0 ? 1 : 6));
            case 25:
                return _model.Add(name, new Cast(DType.F32), x);
            default:
                return _model.Add(name, new Pad(), x, PassModel.Paddings($"{name}/p", 0, 0, 0, 0, 0, 0, 0, _random.Next(2)));
        }
    }

    private Value Convolution(string name, Value x, int depth)
    {
        int kernel = x.Type.Shape[1] > 3 && x.Type.Shape[2] > 3 ? 3 : 1;
        PaddingMode padding = _random.Next(2) == 0 ? PaddingMode.Same : PaddingMode.Valid;
        Value w = Numbers($"{name}/w", 3, kernel, kernel, depth);
        Conv2D op = new(1, 1, padding, Activation());
        return _random.Next(2) == 0 ? _model.Add(name, op, x, w) : _model.Add(name, op, x, w, Numbers($"{name}/b", 3));
    }

    private IOp Sum() => _random.Next(3) switch { 0 => new Add(Activation()), 1 => new Sub(Activation()), _ => new Mul(Activation()) };

    private Value?[] Operands(Value x, Value constant) => _random.Next(3) == 0 ? [constant, x] : [x, constant];

    private Value Constant(string name, Shape shape) => _random.Next(4) switch
    {
        0 => Numbers(name),
        1 => Numbers(name, 1, shape[1], 1, 1),
        2 => Numbers(name, 1, 1, 1, shape[3]),
        _ => Numbers(name, shape[3]),
    };
}

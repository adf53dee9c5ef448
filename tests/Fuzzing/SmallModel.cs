using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Fuzzing;

/// <summary>Random int8 models with one or two input elements, so that all inputs can be run, full of things that can go.</summary>
public sealed class SmallModel
{
    private readonly Random _random;
    private readonly GraphBuilder _builder = new("main");
    private int _layers;

    private SmallModel(int seed) => _random = new(seed);

    /// <summary>Dense layers.</summary>
    /// <param name="seed">The same number gives the same model.</param>
    /// <param name="inputs">Elements of the input.</param>
    public static Module Dense(int seed, int inputs)
    {
        SmallModel m = new(seed);
        Value x = m._builder.Input("x", new(DType.I8, [1, inputs], m.Grid()));
        int width = inputs;
        for (int layer = m._random.Next(1, 4); layer > 0; layer--)
        {
            int next = m._random.Next(2, 8);
            x = m.Layer(new FullyConnected(m.Activation()), x, [next, width], axis: 0, [1, next], isPerChannel: false);
            width = next;
        }

        return m.Finish(m.Layer(new FullyConnected(), x, [2, width], axis: 0, [1, 2], isPerChannel: false));
    }

    /// <summary>Convolutions with and without padding, depthwise ones, sums, pools and a dense layer.</summary>
    /// <param name="seed">The same number gives the same model.</param>
    /// <param name="pixels">Elements of the input.</param>
    public static Module Image(int seed, int pixels)
    {
        SmallModel m = new(seed);
        Value x = m._builder.Input("x", new(DType.I8, [1, pixels, 1, 1], m.Grid()));
        int depth = m._random.Next(2, 6);
        x = m.Convolution(x, depth);
        for (int layer = m._random.Next(1, 4); layer > 0; layer--)
        {
            switch (m._random.Next(4))
            {
                case 0:
                    depth = m._random.Next(2, 6);
                    x = m.Convolution(x, depth);
                    break;
                case 1:
                    int kernel = m._random.Next(2) == 0 ? 1 : 3;
                    x = m.Layer(
                        new DepthwiseConv2D(1, 1, PaddingMode.Same, 1, m.Activation()), x, [1, kernel, 1, depth], axis: 3, [1, pixels, 1, depth], isPerChannel: true);
                    break;
                case 2:
                    Value branch = m.Convolution(x, depth);
                    x = m._builder.Add(
                        new Add(m.Activation()), [x, branch], [GraphBuilder.Result($"sum{m._layers}", new(DType.I8, [1, pixels, 1, depth], m.Grid()))], $"sum{m._layers++}").Output;
                    break;
                default:
                    x = m._builder.Add(
                        m._random.Next(2) == 0 ? new AveragePool2D(1 + m._random.Next(2), 1, 1, 1, PaddingMode.Same) : new MaxPool2D(2, 1, 1, 1, PaddingMode.Same),
                        [x],
                        [GraphBuilder.Result($"pool{m._layers}", x.Type)],
                        $"pool{m._layers++}").Output;
                    break;
            }
        }

        return m.Finish(m.Layer(new FullyConnected(), m.Flat(x), [2, pixels * depth], axis: 0, [1, 2], isPerChannel: false));
    }

    private Value Flat(Value x)
    {
        int count = (int)x.Type.Shape.ElementCount;
        return _builder.Add(new Reshape([-1, count]), [x, null], [GraphBuilder.Result("flat", x.Type with { Shape = [1, count] })], "flat").Output;
    }

    private Value Convolution(Value x, int depth)
    {
        int kernel = _random.Next(3) == 0 ? 3 : 1;
        Shape shape = x.Type.Shape;
        return Layer(
            new Conv2D(1, 1, PaddingMode.Same, Activation()), x, [depth, kernel, 1, shape[3]], axis: 0, [1, shape[1], 1, depth], isPerChannel: _random.Next(2) == 0);
    }

    private Module Finish(Value y)
    {
        _builder.Output(y);
        Module module = GraphBuilder.Module([_builder.Build()]);
        Verifier.ThrowIfBroken(module);
        return module;
    }

    private Value Layer(IOp op, Value x, Shape shape, int axis, Shape result, bool isPerChannel)
    {
        int outputs = shape[axis];
        int count = (int)shape.ElementCount;
        sbyte[] weights = new sbyte[count];
        for (int k = 0; k < count; k++)
        {
            weights[k] = (sbyte)_random.Next(-127, 128);
        }

        bool isLast = axis == shape.Rank - 1;
        int perOutput = count / outputs;
        int inputs = isLast ? 1 : shape[-1];
        bool[] clearsInput = [.. Enumerable.Range(0, inputs).Select(_ => _random.Next(5) == 0)];
        bool[] clearsOutput = [.. Enumerable.Range(0, outputs).Select(_ => _random.Next(4) == 0)];
        int twin = _random.Next(6) == 0 && !isLast ? _random.Next(1, outputs) : 0;
        for (int k = 0; k < count; k++)
        {
            int o = isLast ? k % outputs : k / perOutput;
            bool isZero = clearsOutput[o] || (!isLast && clearsInput[k % inputs]) || _random.Next(8) == 0;
            weights[k] = isZero ? (sbyte)0 : weights[k];
            weights[k] = twin > 0 && o == twin ? weights[k - (twin * perOutput)] : weights[k];
        }

        float[] scales = [.. Enumerable.Range(0, isPerChannel ? outputs : 1).Select(_ => (float)Math.Pow(2, -9 + (3 * _random.NextDouble())))];
        if (isPerChannel && _random.Next(4) == 0)
        {
            scales[_random.Next(scales.Length)] = 1e-9f;
        }

        QuantParams grid = Grid();
        int[] bias = new int[outputs];
        for (int o = 0; o < outputs; o++)
        {
            double step = (double)x.Type.Scale * scales[isPerChannel ? o : 0] / grid.Scale;
            bias[o] = _random.Next(5) switch
            {
                0 => _random.Next(-2000, 2001),
                1 => _random.Next(-(1 << 30), 1 << 30),
                2 => 0,

                // Within a step of where rounding changes.
                _ => (int)Math.Clamp(((_random.Next(-100, 100) + 0.5) / step) + _random.Next(-1, 2), -(1 << 30), 1 << 30),
            };
            bias[o] = twin > 0 && o == twin && !isPerChannel ? bias[0] : bias[o];
        }

        string name = $"layer{_layers++}";
        Value w = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, shape, weights), $"{name}/w", new([.. scales], [.. new long[scales.Length]], axis));
        Value b = GraphBuilder.Constant(TensorData.FromInts([outputs], bias), $"{name}/b", new([.. scales.Select(s => s * x.Type.Scale)], [.. new long[scales.Length]]));
        return _builder.Add(op, [x, w, b], [GraphBuilder.Result(name, new(DType.I8, result, grid))], name).Output;
    }

    private QuantParams Grid() => new((float)Math.Pow(2, -6 + (4 * _random.NextDouble())), _random.Next(3) == 0 ? _random.Next(-128, 128) : -128);

    private FusedActivation Activation() => _random.Next(3) switch
    {
        0 => FusedActivation.None,
        1 => FusedActivation.Relu,
        _ => FusedActivation.Relu6,
    };
}

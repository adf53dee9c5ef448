using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>
/// Convolution, depthwise convolution, pointwise convolution, mean and dense layer, with channels planted that may go, and the
/// same without them: written by hand, so that nothing is checked against itself.
/// </summary>
internal sealed class PlantedModel
{
    public const int Zero = -128;

    private static readonly ImmutableArray<int> All8 = [.. Enumerable.Range(0, 8)];
    private static readonly ImmutableArray<int> All6 = [.. Enumerable.Range(0, 6)];

    // Channel 1 is zero everywhere, 3 a constant, 5 is read by nobody; 2 of the second group is read by nobody.
    public static readonly ImmutableArray<int> Kept8 = [0, 2, 4, 6, 7];
    public static readonly ImmutableArray<int> Kept6 = [0, 1, 3, 4, 5];

    private readonly sbyte[] _conv;
    private readonly sbyte[] _depthwise;
    private readonly sbyte[] _pointwise;
    private readonly sbyte[] _dense;
    private readonly int[] _convBias;
    private readonly int[] _depthwiseBias;
    private readonly int[] _pointwiseBias;
    private readonly int[] _denseBias;
    private readonly float[] _scales8;
    private readonly float[] _scales6;

    public PlantedModel(int seed)
    {
        Random random = new(seed);
        sbyte[] Draw(int n) => [.. Enumerable.Range(0, n).Select(_ => (sbyte)random.Next(-127, 128))];
        int[] DrawBias(int n) => [.. Enumerable.Range(0, n).Select(_ => random.Next(-3000, 3000))];
        (_conv, _depthwise, _pointwise, _dense) = (Draw(8 * 9 * 2), Draw(9 * 8), Draw(6 * 8), Draw(3 * 6));
        (_convBias, _depthwiseBias, _pointwiseBias, _denseBias) = (DrawBias(8), DrawBias(8), DrawBias(6), DrawBias(3));
        _scales8 = [.. Enumerable.Range(0, 8).Select(_ => 0.004f + (0.004f * random.NextSingle()))];
        _scales6 = [.. Enumerable.Range(0, 6).Select(_ => 0.004f + (0.004f * random.NextSingle()))];
        foreach (int c in (int[])[1, 3])
        {
            Array.Clear(_conv, c * 18, 18);
        }

        (_convBias[1], _convBias[3], _depthwiseBias[1]) = (0, 20_000, 4_000);
        for (int t = 0; t < 9; t++)
        {
            _depthwise[(t * 8) + 3] = (sbyte)(t == 4 ? 50 : 0);
        }

        for (int o = 0; o < 6; o++)
        {
            _pointwise[(o * 8) + 5] = (sbyte)(o == 2 ? 77 : 0);
        }

        for (int o = 0; o < 3; o++)
        {
            _dense[(o * 6) + 2] = 0;
        }

        Original = Build(All8, All6, _pointwiseBias);
        (K1, K3, KConv) = (Constant("depthwise", 1), Constant("depthwise", 3), Constant("conv", 3));
        int[] folded = [.. _pointwiseBias.Select((b, o) => b + Term(o, 1, K1).Sum + Term(o, 3, K3).Sum)];
        Result = Build(Kept8, Kept6, folded);
        Certificate = Claims(folded);
    }

    public byte[] Original { get; }

    public byte[] Result { get; }

    public JsonObject Certificate { get; }

    /// <summary>Constants of the depthwise layer.</summary>
    public int K1 { get; }

    public int K3 { get; }

    private int KConv { get; }

    private (int Weights, int Sum) Term(int output, int input, int value) => (_pointwise[(output * 8) + input], (value - Zero) * _pointwise[(output * 8) + input]);

    private byte[] Build(ImmutableArray<int> c, ImmutableArray<int> d, int[] pointwiseBias)
    {
        RecordModel m = new();
        float[] s8 = [.. c.Select(i => _scales8[i])], s6 = [.. d.Select(i => _scales6[i])];
        int x = m.Activation("x", [1, 6, 6, 2], 0.05f, 3);
        int a = m.Activation("conv", [1, 6, 6, c.Length], 0.04f, Zero);
        m.Operator(BuiltinOperator.Conv2D, [
            x,
            m.Weights("conv/w", [c.Length, 3, 3, 2], RecordModel.Slice(_conv, [8, 3, 3, 2], 0, c), s8),
            m.Bias("conv/b", RecordModel.Slice(_convBias, [8], 0, c), [.. s8.Select(s => 0.05f * s)])], a,
            new Conv2DOptions { Padding = Padding.Same, StrideH = 1, StrideW = 1, FusedActivationFunction = ActivationFunctionType.Relu });
        int b = m.Activation("depthwise", [1, 6, 6, c.Length], 0.06f, Zero);
        m.Operator(BuiltinOperator.DepthwiseConv2D, [
            a,
            m.Weights("depthwise/w", [1, 3, 3, c.Length], RecordModel.Slice(_depthwise, [1, 3, 3, 8], 3, c), s8, 3),
            m.Bias("depthwise/b", RecordModel.Slice(_depthwiseBias, [8], 0, c), [.. s8.Select(s => 0.04f * s)])], b,
            new DepthwiseConv2DOptions { Padding = Padding.Same, StrideH = 1, StrideW = 1, DepthMultiplier = 1, FusedActivationFunction = ActivationFunctionType.Relu });
        int p = m.Activation("pointwise", [1, 6, 6, d.Length], 0.07f, 5);
        m.Operator(BuiltinOperator.Conv2D, [
            b,
            m.Weights("pointwise/w", [d.Length, 1, 1, c.Length], RecordModel.Slice(RecordModel.Slice(_pointwise, [6, 8], 0, d), [d.Length, 8], 1, c), s6),
            m.Bias("pointwise/b", RecordModel.Slice(pointwiseBias, [6], 0, d), [.. s6.Select(s => 0.06f * s)])], p,
            new Conv2DOptions { Padding = Padding.Same, StrideH = 1, StrideW = 1 });
        int mean = m.Activation("mean", [1, d.Length], 0.07f, 5);
        m.Operator(BuiltinOperator.Mean, [p, m.Numbers("axes", 1, 2)], mean, new ReducerOptions());
        int y = m.Activation("y", [1, 3], 0.1f, -7);
        m.Operator(BuiltinOperator.FullyConnected, [
            mean,
            m.Weights("dense/w", [3, d.Length], RecordModel.Slice(_dense, [3, 6], 1, d), [0.005f]),
            m.Bias("dense/b", _denseBias, [0.07f * 0.005f])], y,
            new FullyConnectedOptions());
        return m.File([x], y);
    }

    private int Constant(string value, int channel)
    {
        sbyte[][] runs = [.. Enumerable.Range(0, 3).Select(seed => Runs.Value(Original, value, seed))];
        HashSet<sbyte> found = [.. runs.SelectMany(r => r.Where((_, i) => i % 8 == channel))];
        return found.Single();
    }

    private JsonObject Claims(int[] folded)
    {
        JsonObject certificate = CertificateText.Same(Original, Result);
        JsonObject graph = certificate["subgraphs"]![0]!.AsObject();
        static JsonObject Unread(int c) => new() { ["channel"] = c, ["rule"] = "unread" };
        static JsonObject Constant(int c, string rule, int value) => new() { ["channel"] = c, ["rule"] = rule, ["value"] = value };
        static JsonObject Channels(string value, int axis, int count, params JsonNode[] dropped) =>
            new() { ["value"] = value, ["axis"] = axis, ["count"] = count, ["dropped"] = new JsonArray(dropped) };
        graph["channels"] = new JsonArray(
            Channels("op0:0", 3, 8, Constant(1, "dead", Zero), Constant(3, "fold", KConv), Unread(5)),
            Channels("op1:0", 3, 8, Constant(1, "fold", K1), Constant(3, "fold", K3), Unread(5)),
            Channels("op2:0", 3, 6, Unread(2)),
            Channels("op3:0", 1, 6, Unread(2)));
        graph["channels"]![0]!["dropped"]![0]!["accumulator"] = new JsonArray(0, 0);
        graph["biases"] = new JsonArray([.. Kept6.Select(o => new JsonObject
        {
            ["original"] = 2,
            ["channel"] = o,
            ["old"] = _pointwiseBias[o],
            ["new"] = folded[o],
            ["terms"] = new JsonArray(Of(o, 1, K1), Of(o, 3, K3)),
        })]);
        return certificate;

        JsonObject Of(int output, int input, int value)
        {
            (int weights, int sum) = Term(output, input, value);
            return new() { ["input"] = input, ["value"] = value, ["weights"] = weights, ["sum"] = sum };
        }
    }
}

using System.Text.Json.Nodes;
using Optc.Certificates;
using Optc.Formats.TfLite;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>One rule at a time: what holds is verified, what nearly holds is not.</summary>
public sealed class RuleCertificateTests
{
    private static readonly sbyte[] Kernel = [.. Enumerable.Range(0, 36).Select(i => (sbyte)((i * 37 % 91) - 45))];

    [Theory]
    [InlineData(5, 1, 1, 1, 1, 3, null)]
    [InlineData(6, 1, 1, 1, 1, 3, null)]
    [InlineData(6, 2, 0, 1, 0, 3, null)]
    [InlineData(6, 2, 1, 1, 0, 3, "a pad is fused that SAME does not do")]
    [InlineData(5, 1, 2, 0, 1, 3, "a pad is fused that SAME does not do")]
    [InlineData(5, 1, 0, 2, 2, 3, "a pad is fused that SAME does not do")]
    [InlineData(5, 1, 1, 1, 1, 4, "a pad is fused that SAME does not do")]
    public void A_pad_is_fused_where_same_pads_alike(int side, int stride, int top, int bottom, int left, int zero, string? refusal)
    {
        (byte[] original, byte[] result) = (Build(fused: false), Build(fused: true));
        JsonObject certificate = CertificateText.Same(original, result);
        JsonObject graph = CertificateText.Subgraph(0, [1]);
        graph["operators"]![0]!["changes"] = new JsonArray("pad-fused");
        graph["operators"]![0]!["pad"] = 0;
        graph["removed"] = new JsonArray(new JsonObject { ["original"] = 0, ["rule"] = "pad-fused" });
        certificate["subgraphs"] = new JsonArray(graph);

        Check(certificate, original, result, refusal);

        byte[] Build(bool fused)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, side, side, 2], 0.05f, 3);
            int padded = x;
            int right = 2 - left < 0 ? 0 : stride == 2 ? 1 - left : 2 - left;
            int height = fused ? ((side + stride - 1) / stride) : ((side + top + bottom - 3) / stride) + 1;
            int width = fused ? ((side + stride - 1) / stride) : ((side + left + right - 3) / stride) + 1;
            if (!fused)
            {
                padded = m.Activation("padded", [1, side + top + bottom, side + left + right, 2], 0.05f, zero);
                m.Operator(BuiltinOperator.Pad, [x, m.Numbers("pads", [4, 2], [0, 0, top, bottom, left, right, 0, 0])], padded);
            }

            int y = m.Activation("y", [1, height, width, 2], 0.1f, 1);
            m.Operator(BuiltinOperator.Conv2D, [padded, m.Weights("w", [2, 3, 3, 2], Kernel, [0.01f, 0.02f])], y,
                new Conv2DOptions { Padding = fused ? Padding.Same : Padding.Valid, StrideH = stride, StrideW = stride });
            return m.File([x], y);
        }
    }

    [Theory]
    [InlineData(false, false, null)]
    [InlineData(true, false, "an operator reads a value in another shape")]
    [InlineData(false, true, "readers of a removed operator are sent to another value")]
    public void A_reshape_goes_in_front_of_a_layer_that_flattens(bool keepsDims, bool misdirected, string? refusal)
    {
        (byte[] original, byte[] result) = (Build(true), Build(false));
        JsonObject certificate = CertificateText.Same(original, result);
        JsonObject graph = CertificateText.Subgraph(0, [1]);
        graph["removed"] = new JsonArray(new JsonObject { ["original"] = 0, ["rule"] = "reshape", ["forwards"] = misdirected ? "op1:0" : "in0" });
        certificate["subgraphs"] = new JsonArray(graph);

        Check(certificate, original, result, refusal);

        byte[] Build(bool reshaped)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, 2, 3, 3], 0.05f, 3);
            int flat = x;
            if (reshaped)
            {
                flat = m.Activation("flat", [1, 18], 0.05f, 3);
                m.Operator(BuiltinOperator.Reshape, [x, m.Numbers("shape", 1, 18)], flat, new ReshapeOptions { NewShape = [1, 18] });
            }

            int y = m.Activation("y", [1, 2], 0.1f, 1);
            m.Operator(BuiltinOperator.FullyConnected, [flat, m.Weights("w", [2, 18], Kernel, [0.01f])], y, new FullyConnectedOptions { KeepNumDims = keepsDims });
            return m.File([x], y);
        }
    }

    [Theory]
    [InlineData(0.05f, 3, null)]
    [InlineData(0.050001f, 3, "an operator is gone that changes what it passes on")]
    [InlineData(0.05f, 4, "an operator is gone that changes what it passes on")]
    public void A_quantize_goes_that_changes_nothing(float scale, int zero, string? refusal)
    {
        (byte[] original, byte[] result) = (Build(0), Build(1));
        JsonObject certificate = CertificateText.Same(original, result);
        JsonObject graph = CertificateText.Subgraph(0, [1]);
        graph["removed"] = new JsonArray(new JsonObject { ["original"] = 0, ["rule"] = "quantize", ["forwards"] = "in0" });
        certificate["subgraphs"] = new JsonArray(graph);
        Check(certificate, original, result, refusal);

        byte[] pair = Build(2);
        JsonObject two = CertificateText.Same(pair, result);
        JsonObject second = CertificateText.Subgraph(0, [2]);
        second["removed"] = new JsonArray(
            new JsonObject { ["original"] = 0, ["rule"] = "dequantize-quantize" },
            new JsonObject { ["original"] = 1, ["rule"] = "dequantize-quantize", ["forwards"] = "in0" });
        two["subgraphs"] = new JsonArray(second);
        Check(two, pair, result, refusal);

        byte[] Build(int kind)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, 6], 0.05f, 3);
            int q = x;
            if (kind == 2)
            {
                q = m.Operator(BuiltinOperator.Dequantize, [x], m.Float("real", [1, 6]), new DequantizeOptions());
            }

            if (kind != 1)
            {
                q = m.Operator(BuiltinOperator.Quantize, [q], m.Activation("q", [1, 6], scale, zero), new QuantizeOptions());
            }

            m.Operator(BuiltinOperator.FullyConnected, [q, m.Weights("w", [6, 6], Kernel, [0.01f])], m.Activation("y", [1, 6], 0.1f, 1), new FullyConnectedOptions());
            return m.File([x], m.Activation("none", [1], 1) - 1);
        }
    }

    [Theory]
    [InlineData(ActivationFunctionType.Relu, 0.05f, -128, null)]
    [InlineData(ActivationFunctionType.Relu, 0.05f, -127, "a change of an operator is not what it is called")]
    [InlineData(ActivationFunctionType.Relu6, 0.0235f, -128, null)]
    [InlineData(ActivationFunctionType.Relu6, 0.024f, -128, "a change of an operator is not what it is called")]
    [InlineData(ActivationFunctionType.Tanh, 0.05f, -128, "a change of an operator is not what it is called")]
    public void An_activation_goes_that_clamps_nothing(ActivationFunctionType activation, float scale, int zero, string? refusal)
    {
        (byte[] original, byte[] result) = (Build(activation), Build(ActivationFunctionType.None));
        JsonObject certificate = CertificateText.Same(original, result);
        Check(certificate, original, result, "an operator has other options");
        certificate["subgraphs"]![0]!["operators"]![0]!["changes"] = new JsonArray("activation-dropped");
        Check(certificate, original, result, refusal);

        byte[] Build(ActivationFunctionType fused)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, 6], 0.05f, 3);
            int y = m.Activation("y", [1, 6], scale, zero);
            m.Operator(BuiltinOperator.FullyConnected, [x, m.Weights("w", [6, 6], Kernel, [0.01f])], y, new FullyConnectedOptions { FusedActivationFunction = fused });
            return m.File([x], y);
        }
    }

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(1, 0, "a duplicate is not shown to be equal")]
    [InlineData(0, 1, "a weight is not that of the original")]
    public void Equal_channels_are_merged_into_one(int difference, int error, string? refusal)
    {
        sbyte[] first = [3, 5, -7, 11, 3, (sbyte)(5 + difference)], second = [20, -30, 40, 50, 60, -70];
        byte[] original = Build(3, first, second), result = Build(2, first[..4], [(sbyte)(20 + 40 + error), -30, 50 - 70, 60]);
        JsonObject certificate = CertificateText.Same(original, result);
        JsonNode graph = certificate["subgraphs"]![0]!;
        graph["channels"] = new JsonArray(new JsonObject
        {
            ["value"] = "op0:0",
            ["axis"] = 1,
            ["count"] = 3,
            ["dropped"] = new JsonArray(new JsonObject { ["channel"] = 2, ["rule"] = "duplicate", ["of"] = 0 }),
        });
        Check(certificate, original, result, refusal ?? "an added column is not in the certificate once");

        graph["duplicates"] = new JsonArray(new JsonObject { ["original"] = 1, ["kept"] = 0, ["added"] = 2 });
        Check(certificate, original, result, refusal);

        static byte[] Build(int hidden, sbyte[] w0, sbyte[] w1)
        {
            // The second layer is stored row by row: columns 0 and 2 belong together.
            sbyte[] rows = hidden == 3 ? [w1[0], w1[1], w1[2], w1[3], w1[4], w1[5]] : [w1[0], w1[1], w1[2], w1[3]];
            rows = hidden == 2 ? [w1[0], w1[1], (sbyte)(50 - 70), 60] : rows;
            RecordModel m = new();
            int x = m.Activation("x", [1, 2], 0.05f, 3), h = m.Activation("h", [1, hidden], 0.05f, -128), y = m.Activation("y", [1, 2], 0.1f, 1);
            m.Operator(BuiltinOperator.FullyConnected, [x, m.Weights("w0", [hidden, 2], w0, [0.01f])], h, new FullyConnectedOptions());
            m.Operator(BuiltinOperator.FullyConnected, [h, m.Weights("w1", [2, hidden], rows, [0.01f])], y, new FullyConnectedOptions());
            return m.File([x], y);
        }
    }

    /// <summary>Two runtimes round this accumulator to neighbours: a constant for one is not one for both.</summary>
    [Fact]
    public void A_constant_must_hold_in_every_rounding_that_is_promised()
    {
        const float Input = 0.05f, Weight = 0.00731f, Output = 0.0473f;
        FixedPoint factor = FixedPoint.Of((double)(Input * Weight) / Output, Input * Weight / Output)!.Value;
        int bias = Enumerable.Range(1, 40_000_000).First(b =>
            factor.TryApply(b, Roundings.Double, out long p) && factor.TryApply(b, Roundings.Float32, out long q) && p != q && p < 240);
        Assert.True(factor.TryApply(bias, Roundings.Double, out long value));
        byte[] original = Build(2, [0, 0, 9, 7], [bias, 5], [4, 0, 6, 8]);
        sbyte folded = 4;
        long constant = value - 128, sum = (constant + 128) * folded, other = (constant + 128) * 6;
        byte[] result = Build(1, [9, 7], [5], [0, 8], [(int)sum, (int)other]);
        JsonObject certificate = CertificateText.Same(original, result, "mcu");
        JsonNode graph = certificate["subgraphs"]![0]!;
        graph["channels"] = new JsonArray(new JsonObject
        {
            ["value"] = "op0:0",
            ["axis"] = 1,
            ["count"] = 2,
            ["dropped"] = new JsonArray(new JsonObject { ["channel"] = 0, ["rule"] = "fold", ["value"] = constant }),
        });
        graph["biases"] = new JsonArray(Bias(0, sum, 4), Bias(1, other, 6));
        Check(certificate, original, result, "a channel is not the constant that the certificate calls it");

        certificate["roundings"] = new JsonArray("double");
        Check(certificate, original, result, null);

        JsonObject Bias(int channel, long made, int weight) => new()
        {
            ["original"] = 1,
            ["channel"] = channel,
            ["old"] = 0,
            ["new"] = made,
            ["terms"] = new JsonArray(new JsonObject { ["input"] = 0, ["value"] = constant, ["weights"] = weight, ["sum"] = made }),
        };

        byte[] Build(int hidden, sbyte[] w0, int[] b0, sbyte[] w1, int[]? b1 = null)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, 2], Input, 3), h = m.Activation("h", [1, hidden], Output, -128), y = m.Activation("y", [1, 2], 0.1f, 1);
            m.Operator(BuiltinOperator.FullyConnected, [x, m.Weights("w0", [hidden, 2], w0, [Weight]), m.Bias("b0", b0, [Input * Weight])], h, new FullyConnectedOptions());
            m.Operator(BuiltinOperator.FullyConnected, [h, m.Weights("w1", [2, hidden], w1, [0.01f]), m.Bias("b1", b1 ?? [0, 0], [Output * 0.01f])], y, new FullyConnectedOptions());
            return m.File([x], y);
        }
    }

    [Fact]
    public void Running_all_inputs_sees_what_intervals_cannot()
    {
        // x - x is always zero, but not for bounds that forget where both come from.
        byte[] original = Build([1, -1, 0, 1], [1, 1, 2, 5], [9, 4], 2), result = Build([1, -1, 0, 1], [2, 5], [4], 1);
        JsonObject certificate = CertificateText.Same(original, result);
        JsonNode graph = certificate["subgraphs"]![0]!;
        graph["channels"] = new JsonArray(new JsonObject
        {
            ["value"] = "op1:0",
            ["axis"] = 1,
            ["count"] = 2,
            ["dropped"] = new JsonArray(new JsonObject { ["channel"] = 0, ["rule"] = "dead", ["value"] = -128 }),
        });
        Check(certificate, original, result, "a channel is not the constant that the certificate calls it");

        certificate["method"] = "enumeration";
        Check(certificate, original, result, null);

        static byte[] Build(sbyte[] w0, sbyte[] w1, sbyte[] w2, int hidden)
        {
            RecordModel m = new();
            int x = m.Activation("x", [1, 1], 0.1f, 0), a = m.Activation("a", [1, 2], 0.2f, 0), h = m.Activation("h", [1, hidden], 0.2f, -128), y = m.Activation("y", [1, 1], 0.1f, 1);
            m.Operator(BuiltinOperator.FullyConnected, [x, m.Weights("w0", [2, 1], w0[..2], [0.5f])], a, new FullyConnectedOptions());
            m.Operator(BuiltinOperator.FullyConnected, [a, m.Weights("w1", [hidden, 2], w1, [0.01f])], h, new FullyConnectedOptions());
            m.Operator(BuiltinOperator.FullyConnected, [h, m.Weights("w2", [1, hidden], w2, [0.01f])], y, new FullyConnectedOptions());
            return m.File([x], y);
        }
    }

    private static void Check(JsonObject certificate, byte[] original, byte[] result, string? refusal)
    {
        if (refusal is null)
        {
            ShrinkCertificate.Verify(CertificateText.Bytes(certificate), original, result);
            Assert.Equal(Runs.Outputs(original, 20), Runs.Outputs(result, 20));
            return;
        }

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => ShrinkCertificate.Verify(CertificateText.Bytes(certificate), original, result));
        Assert.Equal(refusal, Assert.Single(problem.Diagnostics).Message);
        Assert.NotEmpty(problem.Diagnostics[0].At);
    }
}

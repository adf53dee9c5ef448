using System.Text.Json.Nodes;
using Optc.Certificates;
using Optc.Formats.TfLite;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>A certificate that holds, and every way to break it.</summary>
public sealed class PlantedCertificateTests
{
    private static readonly PlantedModel Planted = new(1);

    public static TheoryData<string> Numbers() => [.. NumbersOf(Planted.Certificate, "").Where(p => !p.Contains("accumulator", StringComparison.Ordinal))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_model_without_planted_channels_is_verified_and_answers_alike(int seed)
    {
        PlantedModel planted = new(seed);

        CertificateVerification verification = Verify(planted.Certificate, planted.Original, planted.Result);

        Assert.Equal(Runs.Outputs(planted.Original, 40), Runs.Outputs(planted.Result, 40));
        Assert.Equal("intervals", verification.Method);
        Assert.Equal("double single float32", string.Join(' ', verification.Roundings));
        Assert.Empty(verification.Conditions);
        Assert.Equal(5, verification.Facts.Count(f => f.Check == "operator"));
        Assert.Contains(verification.Facts, f => f.Check == "channels" && f.Place.EndsWith("op1:0", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Every_number_of_a_certificate_counts(string path)
    {
        foreach (int step in (int[])[-1, 1])
        {
            JsonObject changed = Planted.Certificate.DeepClone().AsObject();
            JsonNode place = changed;
            string[] steps = path.Split('/');
            foreach (string s in steps[..^1])
            {
                place = place is JsonArray list ? list[int.Parse(s, System.Globalization.CultureInfo.InvariantCulture)]! : place[s]!;
            }

            if (place is JsonArray array)
            {
                int index = int.Parse(steps[^1], System.Globalization.CultureInfo.InvariantCulture);
                array[index] = array[index]!.GetValue<int>() + step;
            }
            else
            {
                place[steps[^1]] = place[steps[^1]]!.GetValue<int>() + step;
            }

            Refused(changed, Planted.Original, Planted.Result);
        }
    }

    [Fact]
    public void Bounds_of_an_accumulator_must_hold_and_suffice()
    {
        JsonObject narrow = Planted.Certificate.DeepClone().AsObject();
        narrow["subgraphs"]![0]!["channels"]![0]!["dropped"]![0]!["accumulator"] = new JsonArray(1, 2);
        JsonObject wide = Planted.Certificate.DeepClone().AsObject();
        wide["subgraphs"]![0]!["channels"]![0]!["dropped"]![0]!["accumulator"] = new JsonArray(-100_000, 100_000);

        Assert.Equal("an accumulator has other bounds than claimed", Refused(narrow, Planted.Original, Planted.Result).Message);
        Assert.Equal("an accumulator has other bounds than claimed", Refused(wide, Planted.Original, Planted.Result).Message);
    }

    [Fact]
    public void A_file_that_is_not_the_one_named_is_refused()
    {
        byte[] original = [.. Planted.Original];
        original[^1] ^= 1;

        Assert.Equal("a file is not the one that the certificate is about", Refused(Planted.Certificate, original, Planted.Result).Message);
        Assert.Equal("a file is not the one that the certificate is about", Refused(Planted.Certificate, Planted.Original, Planted.Original).Message);
    }

    [Fact]
    public void Every_weight_of_the_result_counts() => EachByte(Planted.Result, (data, i) => data[i] ^= 1);

    /// <summary>Weights of dropped channels too: those that are zero, and those whose bias decides the constant.</summary>
    [Fact]
    public void Weights_of_the_original_that_break_a_claim_are_found()
    {
        (string Tensor, int Element, byte Value)[] changes =
        [
            ("conv/w", 1 * 18, 100), ("conv/w", (3 * 18) + 7, 90), ("depthwise/w", (4 * 8) + 3, 9), ("depthwise/w", 0, 99), ("depthwise/w", (5 * 8) + 3, 1),
            ("pointwise/w", (0 * 8) + 5, 1), ("pointwise/w", (4 * 8) + 5, 255), ("pointwise/w", (0 * 8) + 1, 200), ("pointwise/w", (1 * 8) + 3, 9),
            ("dense/w", 2, 1), ("dense/w", 8, 1), ("conv/w", 0, 77), ("dense/w", 0, 5),
        ];
        foreach ((string tensor, int element, byte value) in changes)
        {
            byte[] original = Changed(Planted.Original, tensor, data => data[element] = data[element] == value ? (byte)(value + 1) : value);
            Assert.True(TryVerify(Rehashed(original, Planted.Result), original, Planted.Result) is not null, $"not refused: {tensor}[{element}] = {value}");
        }
    }

    [Fact]
    public void A_bias_that_moves_a_constant_is_found()
    {
        foreach ((string tensor, int channel, int value) in (ReadOnlySpan<(string, int, int)>)[
            ("conv/b", 1, 4000), ("conv/b", 3, 24_000), ("depthwise/b", 1, 4300), ("depthwise/b", 3, 60_000), ("pointwise/b", 0, 5), ("dense/b", 1, 6)])
        {
            byte[] original = Changed(Planted.Original, tensor, data => BitConverter.TryWriteBytes(data.AsSpan(4 * channel), value));
            Refused(Rehashed(original, Planted.Result), original, Planted.Result);
        }
    }

    [Fact]
    public void What_no_claim_rests_on_may_be_anything()
    {
        // Output 2 of the pointwise layer is not in the result, and nobody reads it.
        byte[] original = Changed(Planted.Original, "pointwise/w", data => data[(2 * 8) + 5] = 12);

        Verify(Rehashed(original, Planted.Result), original, Planted.Result);
        Assert.Equal(Runs.Outputs(original, 10), Runs.Outputs(Planted.Result, 10));
    }

    [Fact]
    public void Everything_that_kernels_read_must_be_the_same()
    {
        ModelRecord model = TfLiteFile.Read(Planted.Result);
        SubGraphRecord graph = model.Subgraphs[0];
        List<(string What, ModelRecord Model)> changes = [];
        for (int t = 0; t < graph.Tensors.Length; t++)
        {
            TensorRecord tensor = graph.Tensors[t];
            if (tensor.Quantization is { } q)
            {
                Add($"scale of {tensor.Name}", t, tensor with { Quantization = q with { Scale = q.Scale.SetItem(0, q.Scale[0] * 1.0000001f * 1.0000001f) } });
                Add($"zero point of {tensor.Name}", t, tensor with { Quantization = q with { ZeroPoint = q.ZeroPoint.SetItem(0, q.ZeroPoint[0] + 1) } });
                Add($"quantization of {tensor.Name}", t, tensor with { Quantization = null });
            }

            Add($"variable {tensor.Name}", t, tensor with { IsVariable = true });
            Add($"signature {tensor.Name}", t, tensor with { ShapeSignature = tensor.Shape.SetItem(0, -1) });
        }

        for (int o = 0; o < graph.Operators.Length; o++)
        {
            OperatorRecord op = graph.Operators[o];
            IBuiltinOptions? options = op.BuiltinOptions switch
            {
                Conv2DOptions c => c with { Padding = c.Padding == Padding.Same ? Padding.Valid : Padding.Same },
                DepthwiseConv2DOptions c => c with { StrideW = 2 },
                FullyConnectedOptions c => c with { FusedActivationFunction = ActivationFunctionType.Relu },
                ReducerOptions c => c with { KeepDims = true },
                _ => null,
            };
            changes.Add(($"options of {o}", With(op with { BuiltinOptions = options }, o)));
            changes.Add(($"no options of {o}", With(op with { BuiltinOptions = null }, o)));
            changes.Add(($"operands of {o}", With(op with { Inputs = [.. op.Inputs.Reverse()] }, o)));
            changes.Add(($"code of {o}", With(op with { OpcodeIndex = (op.OpcodeIndex + 1) % (uint)model.OperatorCodes.Length }, o)));
        }

        changes.Add(("name of the input", Graph(graph with { Tensors = graph.Tensors.SetItem(0, graph.Tensors[0] with { Name = "z" }) })));
        changes.Add(("output", Graph(graph with { Outputs = [graph.Operators[3].Outputs[0]] })));
        changes.Add(("no output", Graph(graph with { Outputs = [] })));
        changes.Add(("signature", model with { SignatureDefs = [] }));
        changes.Add(("key", model with { SignatureDefs = [model.SignatureDefs[0] with { SignatureKey = "other" }] }));
        changes.Add(("metadata", model with { Metadata = [new() { Name = "labels", Buffer = 0 }] }));
        foreach ((string what, ModelRecord changed) in changes)
        {
            byte[] result = TfLiteFile.ToArray(changed);
            Assert.True(TryVerify(Rehashed(Planted.Original, result), Planted.Original, result) is not null, $"not refused: {what}");
        }

        void Add(string what, int tensor, TensorRecord record) => changes.Add((what, Graph(graph with { Tensors = graph.Tensors.SetItem(tensor, record) })));

        ModelRecord With(OperatorRecord op, int o) => Graph(graph with { Operators = graph.Operators.SetItem(o, op) });

        ModelRecord Graph(SubGraphRecord changed) => model with { Subgraphs = [changed] };
    }

    [Fact]
    public void Names_inside_may_vanish_and_those_of_the_interface_may_not()
    {
        ModelRecord model = TfLiteFile.Read(Planted.Result);
        SubGraphRecord graph = model.Subgraphs[0];
        byte[] without = TfLiteFile.ToArray(model with
        {
            Subgraphs = [graph with { Name = null, Tensors = [.. graph.Tensors.Select(t => t.Name is "x" or "y" ? t : t with { Name = null })] }],
        });

        Verify(Rehashed(Planted.Original, without), Planted.Original, without);
    }

    [Fact]
    public void The_profile_for_microcontrollers_may_shorten_what_the_portable_one_may_not()
    {
        ModelRecord model = TfLiteFile.Read(Planted.Result);
        SubGraphRecord graph = model.Subgraphs[0];
        byte[] micro = TfLiteFile.ToArray(model with
        {
            Subgraphs =
            [
                graph with
                {
                    Tensors =
                    [
                        .. graph.Tensors.Select(t => t.Name is "conv/b" or "depthwise/b" or "pointwise/b"
                            ? t with { Quantization = null }
                            : t.Name is "conv/w" or "depthwise/w" ? t with { Quantization = t.Quantization! with { ZeroPoint = [0] } } : t),
                    ],
                },
            ],
        });
        JsonObject certificate = Rehashed(Planted.Original, micro);
        Refused(certificate, Planted.Original, micro);

        certificate["profile"] = "mcu";
        Assert.Equal("mcu", Verify(certificate, Planted.Original, micro).Profile);
    }

    [Fact]
    public void A_portable_file_needs_all_roundings()
    {
        JsonObject certificate = Planted.Certificate.DeepClone().AsObject();
        certificate["roundings"] = new JsonArray("double");

        Assert.Equal("the certificate does not cover the roundings of its profile", Refused(certificate, Planted.Original, Planted.Result).Message);
    }

    private static CertificateVerification Verify(JsonObject certificate, byte[] original, byte[] result) =>
        ShrinkCertificate.Verify(CertificateText.Bytes(certificate), original, result);

    private static Diagnostic Refused(JsonObject certificate, byte[] original, byte[] result) =>
        Assert.Single(Assert.Throws<DiagnosticException>(() => Verify(certificate, original, result)).Diagnostics);

    private static Diagnostic? TryVerify(JsonObject certificate, byte[] original, byte[] result)
    {
        try
        {
            Verify(certificate, original, result);
            return null;
        }
        catch (DiagnosticException problem)
        {
            return Assert.Single(problem.Diagnostics);
        }
    }

    private static JsonObject Rehashed(byte[] original, byte[] result)
    {
        JsonObject certificate = Planted.Certificate.DeepClone().AsObject();
        certificate["original"] = CertificateText.File(original);
        certificate["result"] = CertificateText.File(result);
        return certificate;
    }

    private static byte[] Changed(byte[] file, string tensor, Action<byte[]> change)
    {
        ModelRecord model = TfLiteFile.Read(file);
        int buffer = (int)model.Subgraphs[0].Tensors.Single(t => t.Name == tensor).Buffer;
        byte[] data = model.Buffers[buffer].Data.ToArray();
        change(data);
        return TfLiteFile.ToArray(model with { Buffers = model.Buffers.SetItem(buffer, new() { Data = data }) });
    }

    private static void EachByte(byte[] file, Action<byte[], int> change)
    {
        foreach (TensorRecord tensor in TfLiteFile.Read(file).Subgraphs[0].Tensors.Where(t => t.Buffer > 0))
        {
            int length = TfLiteFile.Read(file).Buffers[(int)tensor.Buffer].Data.Length;
            for (int i = 0; i < length; i++)
            {
                byte[] changed = Changed(file, tensor.Name!, data => change(data, i));
                Assert.True(TryVerify(Rehashed(Planted.Original, changed), Planted.Original, changed) is not null, $"not refused: byte {i} of {tensor.Name}");
            }
        }
    }

    private static IEnumerable<string> NumbersOf(JsonNode? node, string path) => node switch
    {
        JsonObject fields => fields.SelectMany(f => NumbersOf(f.Value, path.Length == 0 ? f.Key : $"{path}/{f.Key}")),
        JsonArray items => items.SelectMany((item, i) => NumbersOf(item, FormattableString.Invariant($"{path}/{i}"))),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number => [path],
        _ => [],
    };
}

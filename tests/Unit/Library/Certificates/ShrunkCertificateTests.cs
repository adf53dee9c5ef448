using System.Text.Json.Nodes;
using Optc.Backends.TfLite;
using Optc.Certificates;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Shrink;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>What <see cref="Model.Shrink"/> certifies holds for the checker, which shares no code with it.</summary>
public sealed class ShrunkCertificateTests
{
    private const int Networks = 60;

    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void A_shrunk_model_is_verified(string name)
    {
        byte[] original = ModelFiles.Load(name);

        foreach (TfLiteTarget target in Enum.GetValues<TfLiteTarget>())
        {
            ShrinkResult shrunk = Model.Read(original).Shrink(new() { Writing = new(TfLiteNames.Interface, target) });

            CertificateVerification verification = ShrinkCertificate.Verify(shrunk.Certificate, original, shrunk.File);
            Assert.Equal(shrunk.File.Length, verification.ResultBytes);
            Assert.Equal(target == TfLiteTarget.Micro ? "mcu" : "portable", verification.Profile);
        }
    }

    /// <summary>Networks with all that shrinking has rules for; those of one input number are compared on all inputs.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Random_networks_are_verified_and_answer_alike(int batch, bool isTiny)
    {
        int smaller = 0;
        for (int seed = batch * 1_000; seed < (batch * 1_000) + Networks; seed++)
        {
            byte[] original = RandomModel.File(seed, isTiny);
            ShrinkResult shrunk = Model.Read(original).Shrink(new()
            {
                PreferMacs = seed % 2 == 0,
                Writing = new(TfLiteNames.Interface, seed % 3 == 0 ? TfLiteTarget.Micro : TfLiteTarget.Portable),
            });
            byte[] result = shrunk.File.ToArray();
            try
            {
                ShrinkCertificate.Verify(shrunk.Certificate, original, result);
            }
            catch (DiagnosticException problem)
            {
                Assert.Fail(FormattableString.Invariant($"seed {seed}: {problem.Message}"));
            }

            Assert.True(Runs.Outputs(original, isTiny ? Runs.AllBytes : 12).AsSpan().SequenceEqual(Runs.Outputs(result, isTiny ? Runs.AllBytes : 12)), $"seed {seed}");
            smaller += shrunk.Macs.After < shrunk.Macs.Before ? 1 : 0;
        }

        Assert.InRange(smaller, Networks / 3, Networks);
    }

    /// <summary>Variants of section 7 of the specification: each convolution of a keyword spotter with channels planted.</summary>
    [SharedTheory]
    [InlineData("dead")]
    [InlineData("unread")]
    [InlineData("const")]
    [InlineData("sat")]
    [InlineData("mix")]
    public void Planted_variants_are_verified_and_their_mutations_refused(string variant)
    {
        byte[] original = Planted(ModelFiles.Load("models/kws_ref_model/kws_ref_model.tflite"), variant);
        ShrinkResult shrunk = Model.Read(original).Shrink(new() { PreferMacs = true });
        byte[] result = shrunk.File.ToArray();
        JsonObject certificate = JsonNode.Parse(shrunk.Certificate.Span)!.AsObject();

        CertificateVerification verification = ShrinkCertificate.Verify(shrunk.Certificate, original, result);
        Assert.Contains(verification.Facts, f => f.Check == "channels");

        Random random = new(7);
        int refused = 0;
        const int Mutations = 40;
        for (int i = 0; i < Mutations; i++)
        {
            // One weight or bias of the result: all of them count.
            byte[] changed = Changed(result, random);
            certificate["result"] = CertificateText.File(changed);
            refused += IsRefused(CertificateText.Bytes(certificate), original, changed) ? 1 : 0;
        }

        Assert.Equal(Mutations, refused);
    }

    private static bool IsRefused(byte[] certificate, byte[] original, byte[] result)
    {
        try
        {
            ShrinkCertificate.Verify(certificate, original, result);
            return false;
        }
        catch (DiagnosticException problem)
        {
            Assert.Equal(DiagnosticId.CertificateRefused, Assert.Single(problem.Diagnostics).Id);
            return true;
        }
    }

    private static byte[] Changed(byte[] file, Random random)
    {
        ModelRecord model = TfLiteFile.Read(file);
        int[] layers = [.. Enumerable.Range(0, model.Subgraphs[0].Operators.Length).Where(o => model.Subgraphs[0].Operators[o].Inputs.Length == 3)];
        int tensor = model.Subgraphs[0].Operators[layers[random.Next(layers.Length)]].Inputs[random.Next(1, 3)];
        int buffer = (int)model.Subgraphs[0].Tensors[tensor].Buffer;
        byte[] data = model.Buffers[buffer].Data.ToArray();
        data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
        return TfLiteFile.ToArray(model with { Buffers = model.Buffers.SetItem(buffer, new() { Data = data }) });
    }

    private static byte[] Planted(byte[] file, string variant)
    {
        ModelRecord model = TfLiteFile.Read(file);
        SubGraphRecord graph = model.Subgraphs[0];
        BufferRecord[] buffers = [.. model.Buffers];
        bool isStem = true;
        foreach (OperatorRecord op in graph.Operators.Where(o => model.OperatorCodes[(int)o.OpcodeIndex].BuiltinCode == BuiltinOperator.Conv2D))
        {
            TensorRecord weights = graph.Tensors[op.Inputs[1]];
            byte[] w = buffers[weights.Buffer].Data.ToArray(), b = buffers[graph.Tensors[op.Inputs[2]].Buffer].Data.ToArray();
            int outputs = weights.Shape[0], inputs = weights.Shape[3], row = w.Length / outputs;
            for (int o = 0; o < outputs; o++)
            {
                bool isDead = variant is "dead" or "mix" && o % 4 == 1, isConstant = variant is "const" or "mix" && o % 16 == 2;
                if (isDead || isConstant)
                {
                    Array.Clear(w, o * row, row);
                    BitConverter.TryWriteBytes(b.AsSpan(4 * o), isConstant ? 1 << 20 : 0);
                }

                if (variant == "sat" && o % 8 == 5)
                {
                    BitConverter.TryWriteBytes(b.AsSpan(4 * o), -(1 << 20));
                }
            }

            for (int i = 0; i < w.Length && !isStem && (variant is "unread" or "mix"); i++)
            {
                w[i] = i % inputs % 4 == 3 ? (byte)0 : w[i];
            }

            (buffers[weights.Buffer], buffers[graph.Tensors[op.Inputs[2]].Buffer]) = (new() { Data = w }, new() { Data = b });
            isStem = false;
        }

        return TfLiteFile.ToArray(model with { Buffers = [.. buffers] });
    }
}

using Optc.Certificates;
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

        ShrinkResult shrunk = Model.Read(original).Shrink();

        CertificateVerification verification = Optc.Certificates.ShrinkCertificate.Verify(shrunk.Certificate, original, shrunk.File);
        Assert.Equal(shrunk.File.Length, verification.ResultBytes);
        Assert.Equal(shrunk.Method, verification.Method);
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
            ShrinkResult shrunk = Model.Read(original).Shrink();
            byte[] result = shrunk.File.ToArray();
            try
            {
                Optc.Certificates.ShrinkCertificate.Verify(shrunk.Certificate, original, result);
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
}

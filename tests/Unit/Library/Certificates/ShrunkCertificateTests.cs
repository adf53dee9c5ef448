using Optc.Certificates;
using Optc.Shrink;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>What <see cref="Model.Shrink"/> certifies holds for the checker, which shares no code with it.</summary>
public sealed class ShrunkCertificateTests
{
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
}

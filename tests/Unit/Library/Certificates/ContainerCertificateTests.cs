using System.Text.Json.Nodes;
using Optc.Certificates;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Files that optc has only written anew: every operator is the same.</summary>
public sealed class ContainerCertificateTests
{
    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void A_model_that_is_only_written_anew_is_verified(string name)
    {
        byte[] original = ModelFiles.Load(name);
        byte[] result = Model.Read(original).ToTfLite();
        JsonObject certificate = CertificateText.Same(original, result);
        CertificateVerification verification = ShrinkCertificate.Verify(CertificateText.Bytes(certificate), original, result);
        Assert.Equal((original.Length, result.Length), (verification.OriginalBytes, verification.ResultBytes));
        Assert.All(verification.Conditions, c => Assert.StartsWith("the runtime knows", c, StringComparison.Ordinal));
    }
}

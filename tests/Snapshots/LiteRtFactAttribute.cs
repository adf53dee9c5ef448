using Xunit;

namespace Optc.Tests.Snapshots;

/// <summary>A fact that needs LiteRT, and perhaps the shared folder; skipped with a reason where one is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LiteRtFactAttribute : FactAttribute
{
    public LiteRtFactAttribute(bool needsSharedFolder = false)
    {
        NeedsSharedFolder = needsSharedFolder;
        Skip = LiteRtInstallation.SkipReason ?? (needsSharedFolder ? SharedFolder.SkipReason : null);
    }

    public bool NeedsSharedFolder { get; }
}

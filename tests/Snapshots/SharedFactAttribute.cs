using Xunit;

namespace Optc.Tests.Snapshots;

/// <summary>A fact that needs <see cref="SharedFolder"/>; skipped with a reason where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        Skip = SharedFolder.SkipReason;
    }
}

using Xunit;

namespace Optc.Tests.Snapshots;

/// <summary>A theory that needs <see cref="SharedFolder"/>; skipped with a reason where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute()
    {
        Skip = SharedFolder.SkipReason;
    }
}

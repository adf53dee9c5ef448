namespace Optc.Ir;

/// <summary>What a rule says of a node: the patch is to be applied, or why not.</summary>
public readonly record struct Rewrite
{
    private Rewrite(bool changed, string? reason) => (Changed, Reason) = (changed, reason);

    public static Rewrite Apply { get; } = new(changed: true, reason: null);

    public bool Changed { get; }

    /// <summary>Why the rule left the node as it is; <see langword="null"/> when it did not.</summary>
    public string? Reason { get; }

    public static Rewrite Decline(string reason) => new(changed: false, reason);
}

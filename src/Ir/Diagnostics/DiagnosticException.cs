using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>A problem with the user's input ends the operation. Carries every diagnostic of the stage, at least one.</summary>
public sealed class DiagnosticException : Exception
{
    public DiagnosticException(params ImmutableArray<Diagnostic> diagnostics)
        : base(string.Join("\n", diagnostics)) => Diagnostics = diagnostics;

    public ImmutableArray<Diagnostic> Diagnostics { get; }
}

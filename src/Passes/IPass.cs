using Optc.Ir;

namespace Optc.Passes;

/// <summary>A change of a whole module that keeps what it computes (or says what it changes).</summary>
public interface IPass
{
    /// <summary>Lower-case words with hyphens; unique.</summary>
    string Name { get; }

    /// <summary>One sentence for <c>docs/passes.md</c>.</summary>
    string Summary { get; }

    /// <summary>Changes the module in place; the caller owns it.</summary>
    /// <exception cref="DiagnosticException">The pass cannot do what was asked.</exception>
    void Run(Module module, PassContext context);
}

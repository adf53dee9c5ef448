using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.Output;

namespace Optc.Cli.CommandLine;

/// <summary>One verb: declares what it takes, calls the library, prints. Errors are the entry point's business.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description, Terminal terminal)
        : base(name, description)
    {
        Terminal = terminal;
        SetAction((arguments, cancellation) => Task.FromResult(Run(arguments, cancellation)));
    }

    public abstract ImmutableArray<Example> Examples { get; }

    protected Terminal Terminal { get; }

    /// <returns>The exit code.</returns>
    protected abstract int Run(ParseResult arguments, CancellationToken cancellation);
}

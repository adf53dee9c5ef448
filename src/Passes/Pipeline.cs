using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes;

/// <summary>The first pass must come before the second; checked when a pipeline is made.</summary>
public sealed record PassOrder(string First, string Second, string Because);

/// <summary>Passes in the order in which they run, with the reasons for the order.</summary>
public sealed class Pipeline
{
    /// <exception cref="ArgumentException">The list breaks one of the orders, or names no such pass.</exception>
    public Pipeline(string name, ImmutableArray<IPass> passes, ImmutableArray<PassOrder> orders)
    {
        foreach (PassOrder order in orders)
        {
            int first = IndexOf(passes, order.First);
            int second = IndexOf(passes, order.Second);
            if (first < 0 || second < 0 || first >= second)
            {
                throw new ArgumentException($"'{order.First}' must come before '{order.Second}' in '{name}', because {order.Because}.", nameof(orders));
            }
        }

        (Name, Passes, Orders) = (name, passes, orders);
    }

    public string Name { get; }

    public ImmutableArray<IPass> Passes { get; }

    public ImmutableArray<PassOrder> Orders { get; }

    /// <summary>The passes up to the one of this name, without it.</summary>
    public Pipeline StopBefore(string pass) => new(Name, Passes[..IndexOf(Passes, pass)], []);

    /// <summary>A rewritten copy; the given module stays as it is.</summary>
    /// <exception cref="DiagnosticException">A pass cannot do its work, or has broken the graph.</exception>
    public Module Run(Module module, PassContext? context = null)
    {
        context ??= new();
        Module result = module.Clone();
        foreach (IPass pass in Passes)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            context.Progress?.Report(new(pass.Name));
            StructureGuard? before = context.Verify ? StructureGuard.Of(result) : null;
            pass.Run(result, context);
            if (context.Verify)
            {
                Verifier.ThrowIfBroken(result);
                before!.ThrowIfLost(result, pass.Name);
            }

            context.PassDone?.Invoke(pass, result);
        }

        return result;
    }

    private static int IndexOf(ImmutableArray<IPass> passes, string name)
    {
        for (int i = 0; i < passes.Length; i++)
        {
            if (passes[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }
}

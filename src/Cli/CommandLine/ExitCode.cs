using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>The exit codes of the command; <c>docs/errors.md</c> lists them.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int InternalError = 1;
    public const int Usage = 2;
    public const int UnusableInput = 3;
    public const int VerificationFailed = 4;
    public const int BudgetNotMet = 5;

    /// <summary>128 + SIGINT, as shells report an interrupted program.</summary>
    public const int Cancelled = 130;

    public static int Of(DiagnosticId id) => id.Number switch
    {
        < 2000 => UnusableInput,
        < 3000 => Usage,
        _ when id == DiagnosticId.BudgetNotMet => BudgetNotMet,
        _ => VerificationFailed,
    };

    /// <summary>That of the most fundamental problem: what cannot be asked, then what cannot be read, then what is not good enough.</summary>
    public static int Of(IEnumerable<Diagnostic> diagnostics) => diagnostics.Min(d => Of(d.Id));
}

using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Certificates;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Report;

namespace Optc.Cli;

internal sealed class VerifyCommand : Verb
{
    private readonly Argument<string> _certificate = SharedOptions.Model("certificate", "What 'optc shrink --certificate' wrote: a JSON file.");
    private readonly Argument<string> _original = SharedOptions.Model("original", "The model that was shrunk: a .tflite file.");
    private readonly Argument<string> _result = SharedOptions.Model("result", "The model that takes its place: a .tflite file.");
    private readonly Option<bool> _all = new("--all", "-a") { Description = "List every fact that was shown, not only how many of each kind." };

    public VerifyCommand(Terminal terminal)
        : base("verify", "Replay the certificate of a lossless shrink: show from both files that outputs are equal for every input, or fail with exit code 4.", terminal)
    {
        Arguments.Add(_certificate);
        Arguments.Add(_original);
        Arguments.Add(_result);
        Options.Add(_all);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("before a release", "optc verify kws.certificate.json kws.tflite kws-small.tflite"),
        new("the whole proof", "optc verify kws.certificate.json kws.tflite kws-small.tflite --all"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        CertificateVerification verification = ShrinkCertificate.VerifyFiles(
            arguments.GetRequiredValue(_certificate), arguments.GetRequiredValue(_original), arguments.GetRequiredValue(_result));
        Terminal.WriteJson(() => ReportJson.Of(verification));
        Grid summary = new("name", "value");
        summary.Add("verified", "outputs are equal for every input");
        summary.Add("profile", verification.Profile);
        summary.Add("roundings", string.Join(", ", verification.Roundings));
        summary.Add("method", verification.Method);
        summary.Add("bytes", string.Create(CultureInfo.InvariantCulture, $"{verification.OriginalBytes} to {verification.ResultBytes}"));
        foreach (string condition in verification.Conditions)
        {
            summary.Add("provided that", condition);
        }

        foreach (string warning in verification.Warnings)
        {
            summary.Add("warning", warning);
        }

        summary.PrintTo(Terminal);
        Terminal.WriteText("\n");
        Facts(verification, arguments.GetValue(_all)).PrintTo(Terminal);
        return ExitCode.Success;
    }

    private static Grid Facts(CertificateVerification verification, bool all)
    {
        Grid facts = all ? new("check", "place", "shown") : new("check", ">facts");
        foreach (CheckedFact fact in all ? verification.Facts : [])
        {
            facts.Add(fact.Check, fact.Place, fact.Statement);
        }

        foreach (IGrouping<string, CheckedFact> check in all ? [] : verification.Facts.GroupBy(f => f.Check))
        {
            facts.Add(check.Key, string.Create(CultureInfo.InvariantCulture, $"{check.Count()}"));
        }

        return facts;
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Formats.Npy;

namespace Optc.Tests.Golden.Cli;

/// <summary>
/// A session as text: lines that begin with <c>$ </c> are commands, lines that begin with <c># </c> remarks, and all others what
/// the commands print: standard output as it is, then standard error behind <c>! </c>, then the exit code as <c>= 0</c>.
/// </summary>
/// <remarks>Beside <c>optc</c> there are <c>cat</c>, <c>ls</c> (of what was not there at the start), <c>sha</c> and <c>npy</c> (the numbers of an array), to look at what was written.</remarks>
internal static class Transcript
{
    private const string Command = "$ ";
    private const string Remark = "# ";

    /// <summary>The same commands and remarks with what they print now.</summary>
    /// <param name="folder">The folder to run in; becomes the current one of the process.</param>
    public static string Replay(string transcript, string folder)
    {
        string before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(folder);
        try
        {
            StringBuilder replayed = new();
            foreach (string line in transcript.Split('\n'))
            {
                if (line.StartsWith(Remark, StringComparison.Ordinal))
                {
                    replayed.Append(replayed.Length > 0 ? "\n" : "").Append(line).Append('\n');
                }
                else if (line.StartsWith(Command, StringComparison.Ordinal))
                {
                    replayed.Append(replayed.Length > 0 && !EndsWithRemark(replayed) ? "\n" : "").Append(line).Append('\n');
                    Run(Words(line[Command.Length..]), replayed);
                }
            }

            return replayed.ToString();
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }
    }

    private static bool EndsWithRemark(StringBuilder text)
    {
        string all = text.ToString().TrimEnd('\n');
        return all[(all.LastIndexOf('\n') + 1)..].StartsWith(Remark, StringComparison.Ordinal);
    }

    private static void Run(string[] words, StringBuilder replayed)
    {
        switch (words)
        {
            case ["optc", .. var arguments]:
                using (StringWriter output = new() { NewLine = "\n" })
                using (StringWriter error = new() { NewLine = "\n" })
                {
                    int code;
                    using (Terminal terminal = new(output, error))
                    {
                        code = EntryPoint.Run(arguments, terminal, CancellationToken.None);
                    }

                    Append(replayed, output.ToString(), "");
                    Append(replayed, error.ToString(), "! ");
                    replayed.Append(CultureInfo.InvariantCulture, $"= {code}\n");
                }

                break;
            case ["cat", var path]:
                Append(replayed, File.ReadAllText(path), "");
                break;
            case ["ls"]:
                Append(replayed, string.Concat(SampleFolder.Additions(".").Select(f => f + "\n")), "");
                break;
            case ["sha", var path]:
                byte[] bytes = File.ReadAllBytes(path);
                replayed.Append(CultureInfo.InvariantCulture, $"{bytes.Length} bytes, sha256 {Convert.ToHexStringLower(SHA256.HashData(bytes))}\n");
                break;
            case ["npy", var path]:
                NpyArray array = NpyFile.Read(File.ReadAllBytes(path));
                replayed.Append(CultureInfo.InvariantCulture, $"{array}: {string.Join(' ', array.ToDoubles().Select(v => v.ToString("G5", CultureInfo.InvariantCulture)))}\n");
                break;
            default:
                throw new InvalidDataException($"A transcript does not know the command '{words[0]}'.");
        }
    }

    private static void Append(StringBuilder replayed, string text, string prefix)
    {
        if (text.Length > 0)
        {
            foreach (string line in text.TrimEnd('\n').Split('\n'))
            {
                replayed.Append(prefix).Append(line).Append('\n');
            }
        }
    }

    /// <summary>Splits at blanks, as a shell does with single and double quotes.</summary>
    private static string[] Words(string line)
    {
        List<string> words = [];
        StringBuilder word = new();
        char quote = '\0';
        bool isOpen = false;
        foreach (char c in line)
        {
            if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '\'' or '"')
            {
                (quote, isOpen) = (c, true);
            }
            else if (quote == '\0' && c == ' ')
            {
                if (isOpen)
                {
                    words.Add(word.ToString());
                }

                word.Clear();
                isOpen = false;
            }
            else
            {
                word.Append(c);
                isOpen = true;
            }
        }

        if (isOpen)
        {
            words.Add(word.ToString());
        }

        return [.. words];
    }
}

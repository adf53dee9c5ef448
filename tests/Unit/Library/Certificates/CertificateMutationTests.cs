using System.Text;
using System.Text.Json.Nodes;
using Optc.Certificates;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>10,000 changes of certificate and files: each is refused with one diagnostic, or means nothing.</summary>
public sealed class CertificateMutationTests
{
    private const int Mutations = 2_500;

    private static readonly PlantedModel Planted = new(5);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_changed_file_is_refused_or_still_answers_alike(int seed)
    {
        Random random = new(seed);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] original = [.. Planted.Original], result = [.. Planted.Result];
            byte[] target = random.Next(2) == 0 ? original : result;
            for (int n = random.Next(1, 3); n > 0; n--)
            {
                int place = random.Next(target.Length);
                target[place] = random.Next(3) switch
                {
                    0 => (byte)(target[place] ^ (1 << random.Next(8))),
                    1 => (byte)random.Next(256),
                    _ => (byte)(target[place] + random.Next(-2, 3)),
                };
            }

            // Whoever changes a file can also change its hash.
            JsonObject certificate = Planted.Certificate.DeepClone().AsObject();
            certificate["original"] = CertificateText.File(original);
            certificate["result"] = CertificateText.File(result);
            if (IsRefused(CertificateText.Bytes(certificate), original, result))
            {
                refused++;
            }
            else if (OutputsOf(original) is { } outputs)
            {
                Assert.Equal(outputs, OutputsOf(result));
            }
        }

        Assert.InRange(refused, Mutations / 2, Mutations);
    }

    [Theory]
    [InlineData(3)]
    public void A_certificate_with_other_content_is_refused_or_says_the_same(int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < Mutations; i++)
        {
            JsonObject certificate = Planted.Certificate.DeepClone().AsObject();
            List<JsonNode> nodes = [.. All(certificate).Where(n => n.Parent is not null)];
            JsonNode node = nodes[random.Next(nodes.Count)];
            string before = certificate.ToJsonString();
            Change(node, nodes[random.Next(nodes.Count)], random);
            bool isRefused = IsRefused(CertificateText.Bytes(certificate), Planted.Original, Planted.Result);

            // What may change: the warnings, the order of lists, and bounds of accumulators that are left out or wider.
            Assert.True(isRefused || Essence(certificate) == Essence(JsonNode.Parse(before)!.AsObject()), certificate.ToJsonString());
        }
    }

    [Theory]
    [InlineData(4)]
    public void A_damaged_certificate_is_refused_with_one_diagnostic(int seed)
    {
        Random random = new(seed);
        byte[] text = CertificateText.Bytes(Planted.Certificate);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] damaged = random.Next(4) == 0 ? text[..random.Next(text.Length)] : [.. text];
            for (int n = random.Next(1, 4); n > 0 && damaged.Length > 0; n--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            refused += IsRefused(damaged, Planted.Original, Planted.Result) ? 1 : 0;
        }

        Assert.InRange(refused, Mutations * 95 / 100, Mutations);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"format\":\"\\ud800\"}")]
    [InlineData("{\"format\":\"optc-shrink-certificate\",\"version\":2,\"profile\":\"portable\",\"roundings\":[],\"method\":\"intervals\",\"original\":{},\"result\":{},\"subgraphs\":[]}")]
    [InlineData("{\"format\":\"optc-shrink-certificate\",\"format\":\"optc-shrink-certificate\"}")]
    public void What_is_no_certificate_is_refused(string text) => Assert.True(IsRefused(Encoding.UTF8.GetBytes(text), Planted.Original, Planted.Result));

    [Theory]
    [InlineData("op1:0", 3, 1_000_000_000)]
    [InlineData("op1:0", 1_000_000_000, 8)]
    [InlineData("op99:0", 3, 8)]
    [InlineData("op1:7", 3, 8)]
    [InlineData("in3", 3, 8)]
    [InlineData("op01:0", 3, 8)]
    [InlineData("tensor 3", 3, 8)]
    [InlineData("in0", 3, 2)]
    [InlineData("op4:0", 1, 3)]
    public void Absurd_channels_are_refused(string value, int axis, int count)
    {
        JsonObject certificate = Planted.Certificate.DeepClone().AsObject();
        JsonObject claim = certificate["subgraphs"]![0]!["channels"]![0]!.AsObject();
        (claim["value"], claim["axis"], claim["count"]) = (value, axis, count);

        Assert.True(IsRefused(CertificateText.Bytes(certificate), Planted.Original, Planted.Result));
    }

    private static void Change(JsonNode node, JsonNode other, Random random)
    {
        switch (random.Next(5))
        {
            case 0 when node.Parent is JsonArray list:
                list.Remove(node);
                break;
            case 1 when node.Parent is JsonArray list:
                list.Add(node.DeepClone());
                break;
            case 2 when node.Parent is JsonObject fields:
                fields.Remove(node.GetPropertyName());
                break;
            case 3:
                node.ReplaceWith(other.DeepClone());
                break;
            default:
                node.ReplaceWith<JsonNode?>(node.GetValueKind() == System.Text.Json.JsonValueKind.Number
                    ? random.NextInt64(-3, 12)
                    : random.Next(4) switch { 0 => "unread", 1 => "dead", 2 => null, _ => JsonValue.Create(1e300) });
                break;
        }
    }

    private static string Essence(JsonObject certificate)
    {
        JsonObject copy = certificate.DeepClone().AsObject();
        copy.Remove("warnings");
        foreach (JsonObject dropped in All(copy).OfType<JsonObject>().Where(o => o.ContainsKey("rule") && o.ContainsKey("channel")).ToArray())
        {
            dropped.Remove("accumulator");
        }

        foreach (JsonArray list in All(copy).OfType<JsonArray>().ToArray())
        {
            JsonNode?[] sorted = [.. list.Select(n => n?.DeepClone()).OrderBy(n => n?.ToJsonString(), StringComparer.Ordinal)];
            list.Clear();
            foreach (JsonNode? item in sorted)
            {
                list.Add(item);
            }
        }

        return Sorted(copy).ToJsonString();
    }

    private static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject fields => new JsonObject(fields.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => KeyValuePair.Create(f.Key, f.Value is null ? null : (JsonNode?)Sorted(f.Value)))),
        JsonArray items => new JsonArray([.. items.Select(i => i is null ? null : Sorted(i))]),
        _ => node.DeepClone(),
    };

    private static IEnumerable<JsonNode> All(JsonNode? node) => node is null ? [] : node switch
    {
        JsonObject fields => fields.SelectMany(f => All(f.Value)).Prepend(node),
        JsonArray items => items.SelectMany(All).Prepend(node),
        _ => [node],
    };

    private static bool IsRefused(byte[] certificate, byte[] original, byte[] result)
    {
        try
        {
            ShrinkCertificate.Verify(certificate, original, result);
            return false;
        }
        catch (DiagnosticException problem)
        {
            Assert.Single(problem.Diagnostics);
            return true;
        }
    }

    /// <summary>Outputs; null for a file that cannot be run.</summary>
    private static string? OutputsOf(byte[] file)
    {
        try
        {
            return Convert.ToHexString(Runs.Outputs(file, 6));
        }
        catch (DiagnosticException)
        {
            return null;
        }
    }
}

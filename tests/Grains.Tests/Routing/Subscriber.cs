using System.Text;
using Broker.Grains.Routing;

namespace Broker.Grains.Tests.Routing;

/// <summary>A subscriber that compares equal to every other of its name, to prove that the index goes by reference.</summary>
internal sealed record Subscriber(string Name);

internal static class FilterIndexExtensions
{
    public static bool Add(this FilterIndex<Subscriber> index, string filter, Subscriber subscriber) =>
        index.Add(Encoding.UTF8.GetBytes(filter), subscriber);

    public static bool Remove(this FilterIndex<Subscriber> index, string filter, Subscriber subscriber) =>
        index.Remove(Encoding.UTF8.GetBytes(filter), subscriber);

    public static Subscriber[] Match(this FilterIndex<Subscriber> index, string topic) =>
        index.Match(Encoding.UTF8.GetBytes(topic), new MatchBuffer<Subscriber>()).ToArray();

    public static Subscriber[] SubscribersOf(this FilterIndex<Subscriber> index, string filter) =>
        index.SubscribersOf(Encoding.UTF8.GetBytes(filter), new MatchBuffer<Subscriber>()).ToArray();

    public static string[] FilterNames(this FilterIndex<Subscriber> index) =>
        [.. index.Filters().Select(x => Encoding.UTF8.GetString(x.Filter.Span)).Order(StringComparer.Ordinal)];
}

using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Topics;

/// <summary>Registers what messages between silos need; idle in a broker of one silo.</summary>
internal static class TopicServices
{
    public static IServiceCollection AddTopics(this IServiceCollection services) => services
        .AddGrainService<SiloInbox>()
        .AddSingleton<TopicLog>()
        .AddSingleton<LiveSilos>()
        .AddSingleton<InboxClient>()
        .AddSingleton<Func<SiloAddress, ISiloInbox>>(static s => s.GetRequiredService<InboxClient>().Of)
        .AddSingleton<LocalInterest>()
        .AddSingleton<RemoteInterest>()
        .AddSingleton<Peers>()
        .AddSingleton<Adoptions>()
        .AddSingleton<RecentMessages>(_ => new RecentMessages())
        .AddSingleton<RepeatableMessages>(_ => new RepeatableMessages())
        .AddSingleton<InboxDelivery>();
}

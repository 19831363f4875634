using Microsoft.Extensions.Logging;

namespace Broker.Grains.Topics;

/// <summary>What the way between silos tells the operator. Event ids 300 to 319.</summary>
public sealed partial class TopicLog(ILogger<TopicLog> logger)
{
    [LoggerMessage(300, LogLevel.Error, "{Count} messages from another silo could not be routed; their publishers are told.")]
    public partial void NotRouted(Exception error, int count);

    [LoggerMessage(301, LogLevel.Debug, "Silo {Silo} has not answered about filter '{Filter}' yet.")]
    public partial void NotAnswered(Exception error, SiloAddress silo, string filter);

    [LoggerMessage(302, LogLevel.Debug, "Silo {Silo} has not answered a question of the administrator.")]
    public partial void ReportNotAnswered(Exception error, SiloAddress silo);
}

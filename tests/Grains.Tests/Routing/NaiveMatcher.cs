namespace Broker.Grains.Tests.Routing;

/// <summary>The matching rules of MQTT, section 4.7, written down as plainly as possible: the reference of the tests.</summary>
internal static class NaiveMatcher
{
    public static bool Matches(string filter, string topic)
    {
        // [MQTT-4.7.2-1]
        if (topic.StartsWith('$') && (filter[0] == '+' || filter[0] == '#'))
        {
            return false;
        }

        var levels = topic.Split('/');
        var wanted = filter.Split('/');
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == "#")
            {
                // [MQTT-4.7.1-1]: the parent too.
                return true;
            }

            if (i >= levels.Length || (wanted[i] != "+" && wanted[i] != levels[i]))
            {
                return false;
            }
        }

        return wanted.Length == levels.Length;
    }
}

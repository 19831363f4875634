namespace Broker.Grains.Alarms;

/// <summary>Something that may be wrong and has no event of its own: <see cref="AlarmWatch"/> has it looked at every second.</summary>
public interface IAlarmCause
{
    /// <summary>Raises or clears its alarm, as things are. Called from one thread at a time; does not wait.</summary>
    void Look(AlarmService alarms);
}
